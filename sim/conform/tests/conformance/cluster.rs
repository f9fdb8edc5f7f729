//! Cluster mode: C69 to C71, and what cluster_legacy.c of 8.0.1 says of elections.

use rebound_sim::engine::{Duration, Time};
use rebound_sim::valkey::{
    AddressBook, ClusterEvent, ClusterFailover, ClusterHealth, Command, ErrorKind, HASH_SLOTS,
    HashSlot, ManualEnd, NodeId, Redirect, RedirectKind, Reply, SetSlot, VoteRefusal, WriteId,
};

use rebound_conform::lab::{A, B, C, Lab};

use crate::versions::ALL;

const D: NodeId = NodeId(3);
const E: NodeId = NodeId(4);
const TIMEOUT: Duration = Duration::secs(2);

/// Three primaries, A, C and D, and B, a replica of A.
fn cluster(version: &str) -> Lab {
    Lab::cluster(version, &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
    })
}

/// The same, and E, another replica of A.
fn with_two_replicas() -> Lab {
    Lab::cluster("8.0.1", &[None, Some(A), None, None, Some(A)], |config| {
        config.cluster_node_timeout = TIMEOUT;
    })
}

fn moved(key: u32, to: NodeId, reply: Option<Reply>) -> bool {
    let expected = (HashSlot::of_key(key, 1), AddressBook::of(to));
    matches!(
        reply,
        Some(Reply::Redirect(Redirect { kind: RedirectKind::Moved(slot), to, .. }))
            if (slot, to) == expected
    )
}

fn asked(lab: &mut Lab, node: NodeId, command: Command) -> Option<Reply> {
    let admin = lab.connect(node);
    lab.ask(admin, command)
}

fn fail_over(lab: &mut Lab, node: NodeId, how: ClusterFailover) -> Option<Reply> {
    asked(lab, node, Command::ClusterFailover(how))
}

fn saw(lab: &Lab, node: NodeId, what: impl Fn(ClusterEvent) -> bool) -> usize {
    let events = lab.cluster_events();
    events
        .filter(|(who, seen)| *who == node && what(*seen))
        .count()
}

/// No slot is claimed by two nodes under one epoch, and all agree on every slot.
fn assert_agreed(lab: &Lab, nodes: u16) {
    for slot in (0..HASH_SLOTS).map(HashSlot) {
        let owner = lab.server(A).slot_owner(slot);
        for node in 0..nodes {
            assert_eq!(lab.server(NodeId(node)).slot_owner(slot), owner, "{slot:?}");
        }
    }
    let primaries: Vec<_> = (0..nodes)
        .map(NodeId)
        .filter(|n| lab.is_primary(*n))
        .collect();
    let mut epochs: Vec<_> = primaries
        .iter()
        .map(|node| lab.server(*node).config_epoch(*node))
        .collect();
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(
        epochs.len(),
        primaries.len(),
        "every primary has an epoch of its own"
    );
}

/// A BLPOP of a list that is empty, without a time-out.
fn pop(key: u32) -> Command {
    Command::BlPop {
        key,
        timeout_ms: 0,
        write: WriteId(99),
    }
}

#[test]
fn a_node_sends_a_client_to_the_owner_of_the_slot() {
    let mut lab = cluster("8.0.1");
    let key = lab.key_of(C);
    let set = lab.set_key(key);
    for node in [A, B, D] {
        assert!(moved(key, C, asked(&mut lab, node, set)));
    }
    assert_eq!(asked(&mut lab, C, set), Some(Reply::Ok));
    // Commands without keys are run anywhere.
    assert_eq!(asked(&mut lab, B, Command::Ping), Some(Reply::Pong));
}

#[test]
fn a_replica_serves_reads_of_its_primarys_slots_after_readonly_in_every_version() {
    for version in ["7.2.7", "8.0.0-rc1", "8.0.1"] {
        let mut lab = cluster(version);
        let (key, foreign) = (lab.key_of(A), lab.key_of(C));
        let set = lab.set_key(key);
        let client = lab.connect(B);
        assert!(moved(key, A, lab.ask(client, Command::Get(key))));
        assert_eq!(lab.ask(client, Command::ReadOnly), Some(Reply::Ok));
        assert_eq!(lab.ask(client, Command::Get(key)), Some(Reply::Nil));
        assert!(moved(key, A, lab.ask(client, set)));
        assert!(moved(foreign, C, lab.ask(client, Command::Get(foreign))));
    }
}

#[test]
fn a_transaction_of_another_nodes_keys_is_spoilt() {
    let mut lab = cluster("8.0.0-rc1");
    let (own, foreign) = (lab.key_of(A), lab.key_of(C));
    let client = lab.connect(A);
    assert_eq!(lab.ask(client, Command::Multi), Some(Reply::Ok));
    assert_eq!(lab.ask(client, Command::Get(own)), Some(Reply::Queued));
    assert!(moved(foreign, C, lab.ask(client, Command::Get(foreign))));
    let aborted = Some(Reply::Error(ErrorKind::ExecAbort));
    assert_eq!(lab.ask(client, Command::Exec), aborted);
}

#[test]
fn keys_of_several_slots_in_one_command_are_refused() {
    let mut lab = cluster("8.0.1");
    let reply = asked(&mut lab, A, Command::MGet(1, 3));
    assert_eq!(reply, Some(Reply::Error(ErrorKind::CrossSlot)));
}

#[test]
fn what_standalone_servers_do_is_forbidden() {
    let mut lab = cluster("8.0.1");
    let failover = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    let refused = Some(Reply::Error(ErrorKind::FailoverInCluster));
    assert_eq!(asked(&mut lab, A, failover), refused);
    assert_eq!(asked(&mut lab, A, Command::FailoverAbort), refused);
    let refused = Some(Reply::Error(ErrorKind::ReplicaOfInCluster));
    assert_eq!(asked(&mut lab, A, Command::ReplicaOf(None)), refused);
    // A client that declared the capability is not redirected by role.
    let client = lab.capa(B);
    let key = lab.key_of(A);
    assert!(moved(key, A, lab.ask(client, Command::Get(key))));
}

#[test]
fn cluster_slots_lists_ranges_with_owner_and_replicas() {
    let mut lab = cluster("8.0.1");
    let Some(Reply::Topology(id)) = asked(&mut lab, D, Command::ClusterSlots) else {
        panic!("a table");
    };
    let ranges = lab.topologies.get(id);
    let owners: Vec<_> = ranges.iter().map(|range| range.primary).collect();
    assert_eq!(owners, [A, C, D].map(AddressBook::of));
    assert_eq!(ranges[0].replicas, [AddressBook::of(B)]);
    assert!(ranges[1].replicas.is_empty());
    assert_eq!(ranges[2].last, HashSlot(HASH_SLOTS - 1));
    let mut alone = Lab::new("8.0.1", 1);
    let refused = Some(Reply::Error(ErrorKind::ClusterDisabled));
    assert_eq!(asked(&mut alone, A, Command::ClusterSlots), refused);
}

/// C69. With the bus 10 ms slow, writes wait for MFSTART's effect to reach the replica, the
/// votes, and the new owner's claim: four times the delay, as recorded with 200 ms.
#[test]
fn c69_a_manual_failover_postpones_writes_and_then_moves_them() {
    for version in ALL {
        let mut lab = cluster(version);
        lab.delay_bus(Duration::millis(10));
        let key = lab.key_of(A);
        let writer = lab.connect(A);
        let reader = lab.connect(A);
        assert_eq!(
            fail_over(&mut lab, B, ClusterFailover::Agreed),
            Some(Reply::Ok)
        );
        lab.advance(Duration::millis(10));
        let set = lab.set_key(key);
        assert_eq!(lab.ask(writer, set), None, "postponed");
        assert_eq!(
            lab.ask(reader, Command::Get(key)),
            Some(Reply::Nil),
            "reads are served"
        );
        lab.advance(Duration::millis(30));
        assert_eq!(lab.reply(writer), None);
        lab.advance(Duration::millis(110));
        assert!(moved(key, B, lab.reply(writer)));
        assert!(lab.is_primary(B) && !lab.is_primary(A));
        assert_eq!(asked(&mut lab, B, set), Some(Reply::Ok));
        lab.advance(Duration::secs(4));
        assert_agreed(&lab, 4);
        assert_eq!(
            lab.server(B).config_epoch(B),
            Some(5),
            "the fifth epoch, as recorded"
        );
        assert_eq!(
            saw(&lab, B, |e| matches!(
                e,
                ClusterEvent::ElectionWon { epoch: 5 }
            )),
            1
        );
    }
}

/// C70: the replica reaches no other primary, so there are two votes too few.
#[test]
fn c70_without_a_quorum_writes_are_released_after_five_seconds() {
    for version in ALL {
        let mut lab = Lab::cluster(version, &[None, Some(A), None, None], |_| {});
        lab.part(B, C);
        lab.part(B, D);
        let key = lab.key_of(A);
        let writer = lab.connect(A);
        assert_eq!(
            fail_over(&mut lab, B, ClusterFailover::Agreed),
            Some(Reply::Ok)
        );
        let set = lab.set_key(key);
        assert_eq!(lab.ask(writer, set), None, "postponed");
        lab.advance(Duration::millis(4_990));
        assert_eq!(lab.reply(writer), None);
        lab.advance(Duration::millis(120));
        assert_eq!(lab.reply(writer), Some(Reply::Ok));
        assert!(lab.is_primary(A) && !lab.is_primary(B));
        for node in [A, B] {
            let ended = |event| {
                let how = ManualEnd::TimedOut;
                event == ClusterEvent::ManualFailoverEnded { how }
            };
            assert_eq!(saw(&lab, node, ended), 1);
        }
    }
}

/// C71.
#[test]
fn c71_a_manual_failover_throws_blocked_clients_out_or_moves_them() {
    for (version, thrown_out) in [
        ("7.2.7", true),
        ("8.0.0-rc1", true),
        ("8.0.1", true),
        ("8.1", true),
        ("9.0", false),
        ("9.1", false),
        ("unblock-at-completion", true),
        ("redirect-at-completion", false),
    ] {
        let mut lab = cluster(version);
        let key = lab.key_of(A);
        let client = lab.connect(A);
        let pop = pop(key);
        assert_eq!(lab.ask(client, pop), None);
        fail_over(&mut lab, B, ClusterFailover::Agreed);
        lab.advance(Duration::millis(300));
        assert!(lab.is_primary(B), "{version}");
        if thrown_out {
            let unblocked = Some(Reply::Error(ErrorKind::Unblocked));
            assert_eq!(lab.reply(client), unblocked, "{version}");
            assert!(!lab.is_open(client));
        } else {
            assert!(moved(key, B, lab.reply(client)));
            assert!(lab.is_open(client));
        }
    }
}

#[test]
fn a_client_that_waits_for_a_key_hears_within_a_second_that_the_cluster_is_down() {
    let mut lab = cluster("8.0.1");
    let key = lab.key_of(A);
    let client = lab.connect(A);
    let pop = pop(key);
    assert_eq!(lab.ask(client, pop), None);
    lab.kill(C);
    lab.kill(D);
    lab.advance(TIMEOUT.times(2));
    assert_eq!(
        lab.server(A).cluster_health(),
        Some(ClusterHealth::InMinority)
    );
    lab.advance(Duration::secs(1));
    assert_eq!(
        lab.reply(client),
        Some(Reply::Error(ErrorKind::ClusterDown))
    );
    assert!(lab.is_open(client));
}

#[test]
fn force_needs_no_primary_and_does_not_pause_it() {
    let mut lab = cluster("8.0.1");
    let key = lab.key_of(A);
    lab.part(A, B);
    assert_eq!(
        fail_over(&mut lab, B, ClusterFailover::Force),
        Some(Reply::Ok)
    );
    let set = lab.set_key(key);
    assert_eq!(asked(&mut lab, A, set), Some(Reply::Ok), "A goes on");
    lab.advance(Duration::millis(250));
    assert!(lab.is_primary(B) && lab.is_primary(A));
    // C or D, which know better, tell A as soon as it claims its slots.
    lab.advance(TIMEOUT);
    assert!(!lab.is_primary(A));
    lab.join();
    lab.advance(TIMEOUT.times(2));
    assert_agreed(&lab, 4);
}

#[test]
fn takeover_needs_nobody() {
    let mut lab = cluster("8.0.1");
    for other in [A, C, D] {
        lab.part(B, other);
    }
    assert_eq!(
        fail_over(&mut lab, B, ClusterFailover::Takeover),
        Some(Reply::Ok)
    );
    assert!(lab.is_primary(B));
    // It has had the greatest epoch since the cluster was formed, so it takes no other.
    assert_eq!(lab.server(B).config_epoch(B), Some(4));
    lab.join();
    lab.advance(TIMEOUT.times(3));
    assert!(!lab.is_primary(A));
    assert_agreed(&lab, 4);
}

#[test]
fn cluster_failover_at_the_wrong_node_is_refused() {
    let mut lab = cluster("8.0.1");
    let on_primary = Some(Reply::Error(ErrorKind::ClusterFailoverOnPrimary));
    assert_eq!(fail_over(&mut lab, A, ClusterFailover::Agreed), on_primary);
    lab.kill(A);
    lab.advance(TIMEOUT.times(3));
    let mut lab = cluster("8.0.1");
    lab.part(B, C);
    lab.part(B, D);
    lab.kill(A);
    lab.settle();
    let down = Some(Reply::Error(ErrorKind::ClusterFailoverPrimaryDown));
    assert_eq!(fail_over(&mut lab, B, ClusterFailover::Agreed), down);
}

/// The timers of an automatic failover: nobody notices before the node time-out; an election
/// half a second to a second after the FAIL.
#[test]
fn a_crashed_primary_is_replaced_after_the_node_timeout() {
    let mut lab = cluster("8.0.1");
    lab.kill(A);
    let crashed = lab.now;
    let mut failed_at = None;
    let mut won_at = None;
    for _ in 0..600 {
        lab.advance(Duration::millis(10));
        let failed = saw(&lab, B, |event| event == ClusterEvent::Failed { peer: A }) > 0;
        if failed && failed_at.is_none() {
            failed_at = Some(lab.now);
        }
        if lab.is_primary(B) && won_at.is_none() {
            won_at = Some(lab.now);
        }
    }
    let failed_at: Time = failed_at.expect("a majority agrees");
    let won_at: Time = won_at.expect("the replica takes over");
    let noticed = failed_at.since(crashed);
    assert!(noticed >= TIMEOUT, "{noticed}");
    assert!(
        noticed <= TIMEOUT.times(2) + Duration::millis(500),
        "{noticed}"
    );
    let election = won_at.since(failed_at);
    assert!(election >= Duration::millis(490), "{election}");
    assert!(election <= Duration::millis(1_300), "{election}");
    assert_eq!(lab.server(C).cluster_health(), Some(ClusterHealth::Ok));
}

#[test]
fn while_a_primary_is_failed_the_cluster_serves_nothing() {
    let mut lab = Lab::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
    });
    let key = lab.key_of(A);
    lab.kill(B);
    lab.advance(TIMEOUT.times(2) + Duration::millis(500));
    let down = Some(Reply::Error(ErrorKind::ClusterDown));
    assert_eq!(asked(&mut lab, A, Command::Get(key)), down);
    assert_eq!(
        lab.server(A).cluster_health(),
        Some(ClusterHealth::NotCovered)
    );
    // Back again, it is taken for reachable only after a while, since it had slots.
    lab.start(B);
    lab.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut lab, A, Command::Get(key)), Some(Reply::Nil));
}

#[test]
fn without_full_coverage_the_rest_is_served_and_reads_may_be() {
    let mut lab = Lab::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_require_full_coverage = false;
    });
    let (own, lost) = (lab.key_of(A), lab.key_of(B));
    lab.kill(B);
    lab.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut lab, A, Command::Get(own)), Some(Reply::Nil));
    assert!(moved(lost, B, asked(&mut lab, A, Command::Get(lost))));
    let mut lab = Lab::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_allow_reads_when_down = true;
    });
    lab.kill(B);
    lab.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut lab, A, Command::Get(own)), Some(Reply::Nil));
    let set = lab.set_key(own);
    let refused = Some(Reply::Error(ErrorKind::ClusterDownReadOnly));
    assert_eq!(asked(&mut lab, A, set), refused);
}

#[test]
fn a_primary_that_comes_back_becomes_a_replica() {
    let mut lab = cluster("8.0.1");
    lab.kill(A);
    lab.advance(TIMEOUT.times(3));
    assert!(lab.is_primary(B));
    let key = lab.key_of(B);
    lab.start(A);
    // It takes the cluster for failed for two seconds, so that others can tell it.
    let down = Some(Reply::Error(ErrorKind::ClusterDown));
    assert_eq!(asked(&mut lab, A, Command::Get(key)), down);
    lab.advance(Duration::millis(1_500));
    assert!(!lab.is_primary(A));
    lab.advance(TIMEOUT);
    assert!(moved(key, B, asked(&mut lab, A, Command::Get(key))));
    lab.advance(TIMEOUT.times(2));
    assert_agreed(&lab, 4);
}

#[test]
fn of_two_replicas_one_wins_and_the_other_follows_it() {
    let mut lab = with_two_replicas();
    lab.kill(A);
    lab.advance(TIMEOUT.times(4));
    assert!(lab.is_primary(B) != lab.is_primary(E));
    let (winner, other) = if lab.is_primary(B) { (B, E) } else { (E, B) };
    assert_eq!(lab.server(other).primary(), Some(AddressBook::of(winner)));
    let won = |event| matches!(event, ClusterEvent::ElectionWon { .. });
    assert_eq!(saw(&lab, winner, won), 1);
    assert_eq!(saw(&lab, other, won), 0);
}

#[test]
fn a_replica_with_less_data_waits_a_second_longer() {
    let mut lab = with_two_replicas();
    // E lacks a write.
    lab.hold(E, A, false);
    let key = lab.key_of(A);
    let set = lab.set_key(key);
    assert_eq!(asked(&mut lab, A, set), Some(Reply::Ok));
    lab.kill(A);
    lab.advance(TIMEOUT.times(4));
    assert!(lab.is_primary(B) && !lab.is_primary(E));
}

#[test]
fn a_replica_that_has_been_cut_off_for_too_long_does_not_stand() {
    let mut lab = Lab::cluster("8.0.1", &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_replica_validity_factor = 1;
        config.repl_ping_replica_period = 1;
    });
    lab.refuse(A, true);
    lab.cut(B, A);
    lab.advance(TIMEOUT.times(4));
    lab.kill(A);
    lab.advance(TIMEOUT.times(4));
    assert!(!lab.is_primary(B));
    assert_eq!(
        saw(&lab, B, |event| event == ClusterEvent::Failed { peer: A }),
        1
    );
    assert_eq!(
        saw(&lab, B, |e| matches!(
            e,
            ClusterEvent::ElectionPlanned { .. }
        )),
        0
    );
    // By hand it still can.
    fail_over(&mut lab, B, ClusterFailover::Force);
    lab.advance(Duration::millis(300));
    assert!(lab.is_primary(B));
}

#[test]
fn a_node_told_not_to_stand_does_not() {
    let mut lab = Lab::cluster("8.0.1", &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_replica_no_failover = true;
    });
    lab.kill(A);
    lab.advance(TIMEOUT.times(5));
    assert!(!lab.is_primary(B));
    assert_eq!(
        lab.server(C).cluster_health(),
        Some(ClusterHealth::NotCovered)
    );
}

/// In 8.0.1 that counts for manual failovers too: a second one within twice the node time-out
/// gets no votes.
#[test]
fn a_primary_votes_once_in_twice_the_node_timeout_for_replicas_of_a_primary() {
    let mut lab = with_two_replicas();
    fail_over(&mut lab, B, ClusterFailover::Agreed);
    lab.advance(Duration::millis(300));
    assert!(lab.is_primary(B));
    lab.advance(TIMEOUT);
    fail_over(&mut lab, A, ClusterFailover::Agreed);
    lab.advance(Duration::millis(300));
    assert!(lab.is_primary(A), "it was not about B that they had voted");
    lab.advance(Duration::millis(300));
    fail_over(&mut lab, B, ClusterFailover::Agreed);
    lab.advance(Duration::millis(300));
    assert!(!lab.is_primary(B));
    let refused = |event| {
        matches!(
            event,
            ClusterEvent::VoteRefused {
                why: VoteRefusal::VotedLately,
                ..
            }
        )
    };
    assert!(saw(&lab, C, refused) > 0);
}

/// Two replicas take over without a vote: both give themselves the same epoch, until that is
/// resolved, and one of them keeps the slots.
#[test]
fn epochs_that_collide_are_resolved() {
    // The last has the greatest epoch, so that neither of the two has it.
    let last = NodeId(5);
    let roles = [None, Some(A), None, None, Some(A), Some(D)];
    let mut lab = Lab::cluster("8.0.1", &roles, |config| {
        config.cluster_node_timeout = TIMEOUT;
    });
    for one in [B, E] {
        for other in [A, C, D, last] {
            lab.part(one, other);
        }
    }
    lab.part(B, E);
    fail_over(&mut lab, B, ClusterFailover::Takeover);
    fail_over(&mut lab, E, ClusterFailover::Takeover);
    assert_eq!(lab.server(B).config_epoch(B), lab.server(E).config_epoch(E));
    lab.join();
    lab.advance(TIMEOUT.times(5));
    assert_agreed(&lab, 6);
    assert!(!lab.is_primary(A));
    assert!(saw(&lab, B, |e| matches!(e, ClusterEvent::EpochTaken { .. })) > 1);
}

#[test]
fn a_slot_is_moved_without_keys() {
    let mut lab = cluster("8.0.1");
    let key = lab.key_of(A);
    let slot = HashSlot::of_key(key, 1);
    let set_slot = |what| Command::ClusterSetSlot(slot, what);
    let refused = |kind| Some(Reply::Error(kind));
    for (node, what, error) in [
        (B, SetSlot::Stable, ErrorKind::SetSlotOnReplica),
        (C, SetSlot::Migrating(A), ErrorKind::SetSlotNotOwner),
        (A, SetSlot::Importing(C), ErrorKind::SetSlotOwner),
        (A, SetSlot::Migrating(B), ErrorKind::SetSlotTargetNotPrimary),
    ] {
        assert_eq!(asked(&mut lab, node, set_slot(what)), refused(error));
    }
    let set = lab.set_key(key);
    assert_eq!(asked(&mut lab, A, set), Some(Reply::Ok));
    let ok = Some(Reply::Ok);
    assert_eq!(asked(&mut lab, C, set_slot(SetSlot::Importing(A))), ok);
    assert_eq!(asked(&mut lab, A, set_slot(SetSlot::Migrating(C))), ok);
    // What is there is served here, what is not is asked for there.
    assert!(matches!(
        asked(&mut lab, A, Command::Get(key)),
        Some(Reply::Value(_))
    ));
    let keeps = refused(ErrorKind::SetSlotHoldsKeys);
    assert_eq!(asked(&mut lab, A, set_slot(SetSlot::Node(C))), keeps);
    assert_eq!(
        asked(&mut lab, A, Command::Del(key, WriteId(1_000))),
        Some(Reply::Int(1))
    );
    let ask = asked(&mut lab, A, Command::Get(key));
    assert!(matches!(
        ask,
        Some(Reply::Redirect(Redirect { kind: RedirectKind::Ask(_), to, .. }))
            if to == AddressBook::of(C)
    ));
    let client = lab.connect(C);
    assert!(moved(key, A, lab.ask(client, Command::Get(key))));
    assert_eq!(lab.ask(client, Command::Asking), ok);
    assert_eq!(lab.ask(client, Command::Get(key)), Some(Reply::Nil));
    assert!(
        moved(key, A, lab.ask(client, Command::Get(key))),
        "for one command"
    );
    assert_eq!(asked(&mut lab, C, set_slot(SetSlot::Node(C))), ok);
    assert_eq!(asked(&mut lab, A, set_slot(SetSlot::Node(C))), ok);
    lab.advance(TIMEOUT.times(2));
    assert_agreed(&lab, 4);
    assert!(moved(key, C, asked(&mut lab, D, Command::Get(key))));
    assert!(lab.is_primary(A), "one slot is not all");
}

/// Partitions and failovers in every order that the dice give: in the end all agree.
#[test]
fn whatever_happens_no_slot_is_claimed_twice_under_one_epoch() {
    for round in 0..24_u64 {
        let mut lab = with_two_replicas();
        let mut dice = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |n: u64| {
            dice = dice
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e);
            (dice >> 33) % n
        };
        for _ in 0..6 {
            let node = NodeId(roll(5) as u16);
            match roll(5) {
                0 => lab.part(node, NodeId(roll(5) as u16)),
                1 => lab.join(),
                2 => {
                    fail_over(&mut lab, node, ClusterFailover::Agreed);
                }
                3 => {
                    fail_over(&mut lab, node, ClusterFailover::Takeover);
                }
                _ => {
                    fail_over(&mut lab, node, ClusterFailover::Force);
                }
            }
            lab.advance(Duration::millis(100 + roll(3_000)));
        }
        lab.join();
        lab.advance(TIMEOUT.times(8));
        assert_agreed(&lab, 5);
    }
}
