//! What Sentinel says about what it sees and does, by the names of its own log and channels.

use rebound_engine::hashed;

/// An event of Sentinel (`sentinelEvent`), or its refusal of a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // named after Sentinel's events, which `name` gives
pub enum Note {
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

hashed!(
    enum Note {
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
);

impl Note {
    /// The event's name, or the error.
    pub const fn name(self) -> &'static str {
        match self {
            Note::Down => "+sdown",
            Note::Up => "-sdown",
            Note::TryFailover => "+try-failover",
            Note::Selected => "+selected-slave",
            Note::NoGoodReplica => "-failover-abort-no-good-slave",
            Note::PrimaryTimeout => "-failover-abort-master-timeout",
            Note::ReplicaTimeout => "-failover-abort-slave-timeout",
            Note::WaitPromotion => "+failover-state-wait-promotion",
            Note::Promoted => "+promoted-slave",
            Note::ReconfSent => "+slave-reconf-sent",
            Note::ReconfSentBestEffort => "+slave-reconf-sent-be",
            Note::ReconfSentTimeout => "-slave-reconf-sent-timeout",
            Note::ReconfInProgress => "+slave-reconf-inprog",
            Note::ReconfDone => "+slave-reconf-done",
            Note::FailoverEnd => "+failover-end",
            Note::FailoverEndTimeout => "+failover-end-for-timeout",
            Note::SwitchPrimary => "+switch-master",
            Note::ConvertToReplica => "+convert-to-slave",
            Note::FixReplica => "+fix-slave-config",
            Note::RefusedInProgress => "-INPROG Failover already in progress",
            Note::RefusedNoGoodReplica => "-NOGOODSLAVE No suitable replica to promote",
        }
    }
}
