//! What happens in a cluster, in words.

use super::super::names::Names;
use super::super::words;
use crate::valkey::{ClusterEvent, ClusterHealth, ErrorKind, ManualEnd, NodeId, VoteRefusal};

/// What a node does or learns, to be read after its name.
pub(super) fn event(names: Names<'_>, node: NodeId, what: ClusterEvent) -> String {
    match what {
        ClusterEvent::PossiblyFailing { peer } => {
            format!(
                "has not heard of {} for the node time-out (PFAIL)",
                names.node(peer)
            )
        }
        ClusterEvent::Failed { peer } => {
            format!(
                "marks {} as failed: a majority cannot reach it (FAIL)",
                names.node(peer)
            )
        }
        ClusterEvent::Reachable { peer } => {
            format!("marks {} as reachable again", names.node(peer))
        }
        ClusterEvent::State { state } => format!("takes the cluster {}", health(state)),
        ClusterEvent::ElectionPlanned { delay, rank } => match rank {
            0 => format!("will stand for election in {delay}"),
            _ => format!(
                "will stand for election in {delay}: {} more data",
                match rank {
                    1 => "a replica has".to_owned(),
                    _ => format!("{rank} replicas have"),
                }
            ),
        },
        ClusterEvent::ElectionStarted { epoch } => format!("asks for votes under epoch {epoch}"),
        ClusterEvent::ElectionWon { epoch } => format!("has won the election of epoch {epoch}"),
        ClusterEvent::Voted { to, epoch } => {
            format!("votes for {} under epoch {epoch}", names.node(to))
        }
        ClusterEvent::VoteRefused { to, epoch, why } => format!(
            "refuses {} its vote under epoch {epoch}: {}",
            names.node(to),
            refusal(why)
        ),
        ClusterEvent::ManualFailoverStarted { replica } if replica == node => {
            "begins a manual failover".to_owned()
        }
        ClusterEvent::ManualFailoverStarted { replica } => {
            format!(
                "pauses writes for the manual failover to {}",
                names.node(replica)
            )
        }
        ClusterEvent::ManualFailoverEnded { how } => match how {
            ManualEnd::Over => "ends the manual failover".to_owned(),
            ManualEnd::TimedOut => "gives up the manual failover: it has timed out".to_owned(),
        },
        ClusterEvent::EpochTaken { epoch } => format!("gives itself epoch {epoch} without a vote"),
        ClusterEvent::SlotsMoved { to, epoch, count } => {
            let slots = words::count(u64::from(count), "slot");
            if to == node {
                format!("takes {slots} under epoch {epoch}")
            } else {
                format!(
                    "learns that {slots} are {}'s now, under epoch {epoch}",
                    names.node(to)
                )
            }
        }
    }
}

fn health(state: ClusterHealth) -> &'static str {
    match state {
        ClusterHealth::Ok => "for healthy",
        ClusterHealth::Starting => "for failed until it has looked",
        ClusterHealth::NotCovered => "for failed: not every slot is served",
        ClusterHealth::InMinority => "for failed: it reaches no majority of the primaries",
    }
}

fn refusal(why: VoteRefusal) -> &'static str {
    match why {
        VoteRefusal::OldEpoch => "that epoch is over",
        VoteRefusal::AlreadyVoted => "it has voted already",
        VoteRefusal::NotAReplica => "the requester is not a replica",
        VoteRefusal::PrimaryIsUp => "its primary is not failed",
        VoteRefusal::VotedLately => {
            "it has voted about that primary within twice the node time-out"
        }
        VoteRefusal::OldSlots => "another has its slots under a higher epoch",
    }
}

/// Why the cluster's gate has stopped a command.
pub(super) fn why_rejected(error: ErrorKind) -> &'static str {
    if error == ErrorKind::CrossSlot {
        "its keys are in several slots"
    } else if error == ErrorKind::TryAgain {
        "its slot is being moved, and some of its keys have moved already"
    } else if error == ErrorKind::ClusterDownUnbound {
        "nobody serves its slot"
    } else {
        "the node considers the cluster down"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn a_node_is_told_apart_from_another() {
        let nodes = r#"{"name": "old"}, {"name": "new", "replica_of": "old"}"#;
        let text =
            format!(r#"{{"name": "test", "nodes": [{nodes}], "clients": [{{"name": "app"}}]}}"#);
        let plan = parse(&text, "test.json").expect("right");
        let names = Names::new(&plan);
        let moved = |to| ClusterEvent::SlotsMoved {
            to,
            epoch: 5,
            count: 1,
        };
        let own = event(names, NodeId(0), moved(NodeId(0)));
        assert_eq!(own, "takes 1 slot under epoch 5");
        let other = event(names, NodeId(0), moved(NodeId(1)));
        assert!(other.starts_with("learns that 1 slot"), "{other}");
        let paused = ClusterEvent::ManualFailoverStarted { replica: NodeId(1) };
        assert!(event(names, NodeId(0), paused).starts_with("pauses writes"));
        assert_eq!(event(names, NodeId(1), paused), "begins a manual failover");
    }
}
