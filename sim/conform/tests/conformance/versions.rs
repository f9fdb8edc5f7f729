//! The versions under which the cases are run.

/// All of them.
pub const ALL: [&str; 6] = ["7.2.7", "8.0.0-rc1", "8.0.1", "8.1", "9.0", "9.1"];

/// Those with `CLIENT CAPA redirect`.
pub const CAPABLE: [&str; 5] = ["8.0.0-rc1", "8.0.1", "8.1", "9.0", "9.1"];

/// Those with what was merged for issue 821.
pub const FIXED: [&str; 4] = ["8.0.1", "8.1", "9.0", "9.1"];

/// Those that throw blocked clients out when a failover demotes the node.
pub const UNBLOCKING: [&str; 4] = ["7.2.7", "8.0.0-rc1", "8.0.1", "8.1"];

/// Those that deal with blocked clients when a failover has succeeded (PR 2329).
pub const REDIRECTING: [&str; 2] = ["9.0", "9.1"];
