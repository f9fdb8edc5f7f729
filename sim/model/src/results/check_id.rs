//! Which checks there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A check, by the id that findings and documents use.
#[derive(
    Copy,
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumCount,
    VariantArray,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[strum(serialize_all = "kebab-case")]
pub enum CheckId {
    /// A command was redirected more often than `max_hops`.
    Bounce,
    /// A write was acknowledged and is gone.
    LostWrite,
    /// Two nodes accept writes at one instant.
    TwoPrimaries,
    /// No node accepts writes for longer than a bound.
    NoPrimary,
    /// A command is unfinished long after the last fault healed.
    StuckClient,
    /// An error caused by the failover reached an application.
    ErrorSurfaced,
    /// A client or a node opens connections too fast.
    ConnectionStorm,
    /// A client followed a redirect to a node that was no primary.
    StaleRedirect,
    /// Too many requests reached a node at once.
    ThunderingHerd,
    /// A blocked command was unblocked with an error before there was a new primary.
    EarlyUnblock,
    /// A read returned a value that had been overwritten before it was issued.
    StaleRead,
    /// No order of a key's operations explains what was read.
    Linearizability,
    /// The run would have run away; it is inconclusive.
    BudgetExceeded,
}

impl CheckId {
    /// Every check.
    pub const ALL: [CheckId; CheckId::COUNT] = *CheckId::VARIANTS.first_chunk().unwrap();

    /// The id, as in scenarios and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
