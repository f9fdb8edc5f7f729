//! What Sentinel says about what it sees and does, by the names of its own log and channels.

/// An event of Sentinel (`sentinelEvent`), or its refusal of a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // named after Sentinel's events, which `name` gives
pub enum Notice {
    Down,
    Up,
    TryFailover,
    Selected,
    NoGoodReplica,
    PrimaryTimeout,
    ReplicaTimeout,
    WaitPromotion,
    Promoted,
    ReconfSent,
    ReconfSentBestEffort,
    ReconfSentTimeout,
    ReconfInProgress,
    ReconfDone,
    FailoverEnd,
    FailoverEndTimeout,
    SwitchPrimary,
    ConvertToReplica,
    FixReplica,
    RefusedInProgress,
    RefusedNoGoodReplica,
}

impl Notice {
    /// The event's name, or the error.
    pub const fn name(self) -> &'static str {
        match self {
            Notice::Down => "+sdown",
            Notice::Up => "-sdown",
            Notice::TryFailover => "+try-failover",
            Notice::Selected => "+selected-slave",
            Notice::NoGoodReplica => "-failover-abort-no-good-slave",
            Notice::PrimaryTimeout => "-failover-abort-master-timeout",
            Notice::ReplicaTimeout => "-failover-abort-slave-timeout",
            Notice::WaitPromotion => "+failover-state-wait-promotion",
            Notice::Promoted => "+promoted-slave",
            Notice::ReconfSent => "+slave-reconf-sent",
            Notice::ReconfSentBestEffort => "+slave-reconf-sent-be",
            Notice::ReconfSentTimeout => "-slave-reconf-sent-timeout",
            Notice::ReconfInProgress => "+slave-reconf-inprog",
            Notice::ReconfDone => "+slave-reconf-done",
            Notice::FailoverEnd => "+failover-end",
            Notice::FailoverEndTimeout => "+failover-end-for-timeout",
            Notice::SwitchPrimary => "+switch-master",
            Notice::ConvertToReplica => "+convert-to-slave",
            Notice::FixReplica => "+fix-slave-config",
            Notice::RefusedInProgress => "-INPROG Failover already in progress",
            Notice::RefusedNoGoodReplica => "-NOGOODSLAVE No suitable replica to promote",
        }
    }
}
