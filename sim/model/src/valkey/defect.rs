//! Deliberate defects: rules broken on purpose, so that tests can show that what real servers were
//! seen to do would give such a mistake of the model away. No scenario and no option can name one.

/// A rule that is broken.
///
/// Mistakes in what a behaviour says as data (the order of gates, what a redirect does to a
/// transaction, …) need no name here: a test changes the data.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The failover's pause ends when the node demotes itself, and not with the failover.
    PauseLiftedEarly,
    /// The target promotes itself when the handshake introduces the old primary, before
    /// `PSYNC … FAILOVER` asks for it.
    PromotedBeforeAsked,
    /// The target answers `PSYNC … FAILOVER` while it is a replica, and does not promote itself.
    NeverPromoted,
    /// A hand-over connection that fails ends the failover, whatever had been said on it.
    NothingRetried,
    /// `TIMEOUT` ends `failover-in-progress` too.
    TimeoutInProgress,
    /// A failover that has ended lets nobody go on whom it has postponed.
    PostponedForgotten,
    /// A replica acknowledges whatever it gets at once, and not once a second.
    AcknowledgedAtOnce,
    /// A failover that has failed leaves the old primary a replica.
    DemotedForGood,
}
