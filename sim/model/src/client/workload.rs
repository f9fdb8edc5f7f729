//! Which commands the applications issue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rebound_engine::Duration;

/// What each client of a group does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workload {
    /// When commands are issued.
    pub pace: Pace,
    /// How often each kind of command is issued, relative to the others.
    pub mix: Mix,
    /// How many keys the commands use.
    pub keys: u32,
    /// Whether each client has keys of its own.
    pub own_keys: bool,
    /// Keys of an `MGET`.
    pub mget_keys: u8,
    /// Commands inside a transaction.
    pub transaction_size: u8,
    /// Time-out of a `BLPOP`; zero means no limit.
    pub blpop_timeout: Duration,
    /// Commands of one pipeline. More than one makes each issue a batch of single commands.
    pub pipeline: u16,
    /// Connections that a client keeps to a node.
    pub connections: u16,
    /// Commands that each client issues; absent for no limit.
    pub commands: Option<u64>,
}

/// When commands are issued.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Pace {
    /// Each of these workers issues its next command this long after the last one ended.
    Closed {
        /// Workers: commands (or pipelines) that a client has open at most.
        workers: u16,
        /// Between a command's end and the next one, exponentially distributed.
        think: Duration,
    },
    /// Commands are issued at exponentially distributed intervals with this mean, however many
    /// are still open.
    Open {
        /// Mean interval.
        every: Duration,
        /// Commands open at most; what would exceed it waits.
        max_open: u16,
    },
}

/// Relative frequencies of commands.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // the commands' own names
pub struct Mix {
    pub get: u32,
    pub set: u32,
    pub incr: u32,
    pub del: u32,
    pub mget: u32,
    /// A transaction: MULTI, alternately SET and GET, EXEC.
    pub multi: u32,
    pub blpop: u32,
    pub lpush: u32,
    pub subscribe: u32,
    pub publish: u32,
    pub ping: u32,
    /// A script without a shebang that gets a key.
    pub eval: u32,
    /// A script without a shebang that sets a key.
    pub eval_set: u32,
}

impl Default for Workload {
    fn default() -> Self {
        Workload {
            pace: Pace::Closed {
                workers: 1,
                think: Duration::millis(10),
            },
            mix: Mix {
                get: 1,
                set: 1,
                ..Mix::default()
            },
            keys: 100,
            own_keys: false,
            mget_keys: 3,
            transaction_size: 2,
            blpop_timeout: Duration::ZERO,
            pipeline: 1,
            connections: 1,
            commands: None,
        }
    }
}
