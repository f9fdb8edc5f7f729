//! Cluster mode: C69 to C71, slots and redirects, and failovers that an operator asks for.

use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{
    AddressBook, ClusterEvent, ClusterFailover, ClusterHealth, Command, ErrorKind, HASH_SLOTS,
    HashSlot, ManualEnd, NodeId, Redirect, RedirectKind, Reply, SetSlot, VoteRefusal, WriteId,
};

use rebound_conform::bench::{A, B, Bench, C};

use crate::versions::ALL;

mod elections;

const D: NodeId = NodeId(3);
const E: NodeId = NodeId(4);
const TIMEOUT: Duration = Duration::secs(2);

/// Three primaries, A, C and D, and B, a replica of A.
fn cluster(version: &str) -> Bench {
    Bench::cluster(version, &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
    })
}

/// The same, and E, another replica of A.
fn with_two_replicas() -> Bench {
    Bench::cluster("8.0.1", &[None, Some(A), None, None, Some(A)], |config| {
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

fn asked(bench: &mut Bench, node: NodeId, command: Command) -> Option<Reply> {
    let admin = bench.connect(node);
    bench.ask(admin, command)
}

fn fail_over(bench: &mut Bench, node: NodeId, how: ClusterFailover) -> Option<Reply> {
    asked(bench, node, Command::ClusterFailover(how))
}

fn saw(bench: &Bench, node: NodeId, what: impl Fn(ClusterEvent) -> bool) -> usize {
    let events = bench.cluster_events();
    events
        .filter(|(who, seen)| *who == node && what(*seen))
        .count()
}

/// No slot is claimed by two nodes under one epoch, and all agree on every slot.
fn assert_agreed(bench: &Bench, nodes: u16) {
    for slot in (0..HASH_SLOTS).map(HashSlot) {
        let owner = bench.server(A).slot_owner(slot);
        for node in 0..nodes {
            assert_eq!(
                bench.server(NodeId(node)).slot_owner(slot),
                owner,
                "{slot:?}"
            );
        }
    }
    let primaries: Vec<_> = (0..nodes)
        .map(NodeId)
        .filter(|n| bench.is_primary(*n))
        .collect();
    let mut epochs: Vec<_> = primaries
        .iter()
        .map(|node| bench.server(*node).config_epoch(*node))
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
    let mut bench = cluster("8.0.1");
    let key = bench.key_of(C);
    let set = bench.set_key(key);
    for node in [A, B, D] {
        assert!(moved(key, C, asked(&mut bench, node, set)));
    }
    assert_eq!(asked(&mut bench, C, set), Some(Reply::Ok));
    // Commands without keys are run anywhere.
    assert_eq!(asked(&mut bench, B, Command::Ping), Some(Reply::Pong));
}

#[test]
fn a_replica_serves_reads_of_its_primarys_slots_after_readonly_in_every_version() {
    for version in ["7.2.7", "8.0.0-rc1", "8.0.1"] {
        let mut bench = cluster(version);
        let (key, foreign) = (bench.key_of(A), bench.key_of(C));
        let set = bench.set_key(key);
        let client = bench.connect(B);
        assert!(moved(key, A, bench.ask(client, Command::Get(key))));
        assert_eq!(bench.ask(client, Command::ReadOnly), Some(Reply::Ok));
        assert_eq!(bench.ask(client, Command::Get(key)), Some(Reply::Nil));
        assert!(moved(key, A, bench.ask(client, set)));
        assert!(moved(foreign, C, bench.ask(client, Command::Get(foreign))));
    }
}

#[test]
fn a_transaction_of_another_nodes_keys_is_spoilt() {
    let mut bench = cluster("8.0.0-rc1");
    let (own, foreign) = (bench.key_of(A), bench.key_of(C));
    let client = bench.connect(A);
    assert_eq!(bench.ask(client, Command::Multi), Some(Reply::Ok));
    assert_eq!(bench.ask(client, Command::Get(own)), Some(Reply::Queued));
    assert!(moved(foreign, C, bench.ask(client, Command::Get(foreign))));
    let aborted = Some(Reply::Error(ErrorKind::ExecAbort));
    assert_eq!(bench.ask(client, Command::Exec), aborted);
}

#[test]
fn keys_of_several_slots_in_one_command_are_refused() {
    let mut bench = cluster("8.0.1");
    let reply = asked(&mut bench, A, Command::MGet(1, 3));
    assert_eq!(reply, Some(Reply::Error(ErrorKind::CrossSlot)));
}

#[test]
fn what_standalone_servers_do_is_forbidden() {
    let mut bench = cluster("8.0.1");
    let failover = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    let refused = Some(Reply::Error(ErrorKind::FailoverInCluster));
    assert_eq!(asked(&mut bench, A, failover), refused);
    assert_eq!(asked(&mut bench, A, Command::FailoverAbort), refused);
    let refused = Some(Reply::Error(ErrorKind::ReplicaOfInCluster));
    assert_eq!(asked(&mut bench, A, Command::ReplicaOf(None)), refused);
    // A client that declared the capability is not redirected by role.
    let client = bench.capa(B);
    let key = bench.key_of(A);
    assert!(moved(key, A, bench.ask(client, Command::Get(key))));
}

#[test]
fn cluster_slots_lists_ranges_with_owner_and_replicas() {
    let mut bench = cluster("8.0.1");
    let Some(Reply::Topology(id)) = asked(&mut bench, D, Command::ClusterSlots) else {
        panic!("a table");
    };
    let ranges = bench.topologies.get(id);
    let owners: Vec<_> = ranges.iter().map(|range| range.primary).collect();
    assert_eq!(owners, [A, C, D].map(AddressBook::of));
    assert_eq!(ranges[0].replicas, [AddressBook::of(B)]);
    assert!(ranges[1].replicas.is_empty());
    assert_eq!(ranges[2].last, HashSlot(HASH_SLOTS - 1));
    let mut alone = Bench::new("8.0.1", 1);
    let refused = Some(Reply::Error(ErrorKind::ClusterDisabled));
    assert_eq!(asked(&mut alone, A, Command::ClusterSlots), refused);
}

/// C69. With the bus 10 ms slow, writes wait for MFSTART's effect to reach the replica, the
/// votes, and the new owner's claim: four times the delay, as recorded with 200 ms.
#[test]
fn c69_a_manual_failover_postpones_writes_and_then_moves_them() {
    for version in ALL {
        let mut bench = cluster(version);
        bench.delay_bus(Duration::millis(10));
        let key = bench.key_of(A);
        let writer = bench.connect(A);
        let reader = bench.connect(A);
        assert_eq!(
            fail_over(&mut bench, B, ClusterFailover::Agreed),
            Some(Reply::Ok)
        );
        bench.advance(Duration::millis(10));
        let set = bench.set_key(key);
        assert_eq!(bench.ask(writer, set), None, "postponed");
        assert_eq!(
            bench.ask(reader, Command::Get(key)),
            Some(Reply::Nil),
            "reads are served"
        );
        bench.advance(Duration::millis(30));
        assert_eq!(bench.reply(writer), None);
        bench.advance(Duration::millis(110));
        assert!(moved(key, B, bench.reply(writer)));
        assert!(bench.is_primary(B) && !bench.is_primary(A));
        assert_eq!(asked(&mut bench, B, set), Some(Reply::Ok));
        bench.advance(Duration::secs(4));
        assert_agreed(&bench, 4);
        assert_eq!(
            bench.server(B).config_epoch(B),
            Some(5),
            "the fifth epoch, as recorded"
        );
        assert_eq!(
            saw(&bench, B, |e| matches!(
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
        let mut bench = Bench::cluster(version, &[None, Some(A), None, None], |_| {});
        bench.part(B, C);
        bench.part(B, D);
        let key = bench.key_of(A);
        let writer = bench.connect(A);
        assert_eq!(
            fail_over(&mut bench, B, ClusterFailover::Agreed),
            Some(Reply::Ok)
        );
        let set = bench.set_key(key);
        assert_eq!(bench.ask(writer, set), None, "postponed");
        bench.advance(Duration::millis(4_990));
        assert_eq!(bench.reply(writer), None);
        bench.advance(Duration::millis(120));
        assert_eq!(bench.reply(writer), Some(Reply::Ok));
        assert!(bench.is_primary(A) && !bench.is_primary(B));
        for node in [A, B] {
            let ended = |event| {
                let how = ManualEnd::TimedOut;
                event == ClusterEvent::ManualFailoverEnded { how }
            };
            assert_eq!(saw(&bench, node, ended), 1);
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
        let mut bench = cluster(version);
        let key = bench.key_of(A);
        let client = bench.connect(A);
        let pop = pop(key);
        assert_eq!(bench.ask(client, pop), None);
        fail_over(&mut bench, B, ClusterFailover::Agreed);
        bench.advance(Duration::millis(300));
        assert!(bench.is_primary(B), "{version}");
        if thrown_out {
            let unblocked = Some(Reply::Error(ErrorKind::Unblocked));
            assert_eq!(bench.reply(client), unblocked, "{version}");
            assert!(!bench.is_open(client));
        } else {
            assert!(moved(key, B, bench.reply(client)));
            assert!(bench.is_open(client));
        }
    }
}

#[test]
fn a_client_that_waits_for_a_key_hears_within_a_second_that_the_cluster_is_down() {
    let mut bench = cluster("8.0.1");
    let key = bench.key_of(A);
    let client = bench.connect(A);
    let pop = pop(key);
    assert_eq!(bench.ask(client, pop), None);
    bench.kill(C);
    bench.kill(D);
    bench.advance(TIMEOUT.times(2));
    assert_eq!(
        bench.server(A).cluster_health(),
        Some(ClusterHealth::InMinority)
    );
    bench.advance(Duration::secs(1));
    assert_eq!(
        bench.reply(client),
        Some(Reply::Error(ErrorKind::ClusterDown))
    );
    assert!(bench.is_open(client));
}

#[test]
fn force_needs_no_primary_and_does_not_pause_it() {
    let mut bench = cluster("8.0.1");
    let key = bench.key_of(A);
    bench.part(A, B);
    assert_eq!(
        fail_over(&mut bench, B, ClusterFailover::Force),
        Some(Reply::Ok)
    );
    let set = bench.set_key(key);
    assert_eq!(asked(&mut bench, A, set), Some(Reply::Ok), "A goes on");
    bench.advance(Duration::millis(250));
    assert!(bench.is_primary(B) && bench.is_primary(A));
    // C or D, which know better, tell A as soon as it claims its slots.
    bench.advance(TIMEOUT);
    assert!(!bench.is_primary(A));
    bench.join();
    bench.advance(TIMEOUT.times(2));
    assert_agreed(&bench, 4);
}

#[test]
fn takeover_needs_nobody() {
    let mut bench = cluster("8.0.1");
    for other in [A, C, D] {
        bench.part(B, other);
    }
    assert_eq!(
        fail_over(&mut bench, B, ClusterFailover::Takeover),
        Some(Reply::Ok)
    );
    assert!(bench.is_primary(B));
    // It has had the greatest epoch since the cluster was formed, so it takes no other.
    assert_eq!(bench.server(B).config_epoch(B), Some(4));
    bench.join();
    bench.advance(TIMEOUT.times(3));
    assert!(!bench.is_primary(A));
    assert_agreed(&bench, 4);
}

#[test]
fn cluster_failover_at_the_wrong_node_is_refused() {
    let mut bench = cluster("8.0.1");
    let on_primary = Some(Reply::Error(ErrorKind::ClusterFailoverOnPrimary));
    assert_eq!(
        fail_over(&mut bench, A, ClusterFailover::Agreed),
        on_primary
    );
    bench.kill(A);
    bench.advance(TIMEOUT.times(3));
    let mut bench = cluster("8.0.1");
    bench.part(B, C);
    bench.part(B, D);
    bench.kill(A);
    bench.settle();
    let down = Some(Reply::Error(ErrorKind::ClusterFailoverPrimaryDown));
    assert_eq!(fail_over(&mut bench, B, ClusterFailover::Agreed), down);
}

#[test]
fn a_slot_is_moved_without_keys() {
    let mut bench = cluster("8.0.1");
    let key = bench.key_of(A);
    let slot = HashSlot::of_key(key, 1);
    let set_slot = |what| Command::ClusterSetSlot(slot, what);
    let refused = |kind| Some(Reply::Error(kind));
    for (node, what, error) in [
        (B, SetSlot::Stable, ErrorKind::SetSlotOnReplica),
        (C, SetSlot::Migrating(A), ErrorKind::SetSlotNotOwner),
        (A, SetSlot::Importing(C), ErrorKind::SetSlotOwner),
        (A, SetSlot::Migrating(B), ErrorKind::SetSlotTargetNotPrimary),
    ] {
        assert_eq!(asked(&mut bench, node, set_slot(what)), refused(error));
    }
    let set = bench.set_key(key);
    assert_eq!(asked(&mut bench, A, set), Some(Reply::Ok));
    let ok = Some(Reply::Ok);
    assert_eq!(asked(&mut bench, C, set_slot(SetSlot::Importing(A))), ok);
    assert_eq!(asked(&mut bench, A, set_slot(SetSlot::Migrating(C))), ok);
    // What is there is served here, what is not is asked for there.
    assert!(matches!(
        asked(&mut bench, A, Command::Get(key)),
        Some(Reply::Value(_))
    ));
    let keeps = refused(ErrorKind::SetSlotHoldsKeys);
    assert_eq!(asked(&mut bench, A, set_slot(SetSlot::Node(C))), keeps);
    assert_eq!(
        asked(&mut bench, A, Command::Del(key, WriteId(1_000))),
        Some(Reply::Int(1))
    );
    let ask = asked(&mut bench, A, Command::Get(key));
    assert!(matches!(
        ask,
        Some(Reply::Redirect(Redirect { kind: RedirectKind::Ask(_), to, .. }))
            if to == AddressBook::of(C)
    ));
    let client = bench.connect(C);
    assert!(moved(key, A, bench.ask(client, Command::Get(key))));
    assert_eq!(bench.ask(client, Command::Asking), ok);
    assert_eq!(bench.ask(client, Command::Get(key)), Some(Reply::Nil));
    assert!(
        moved(key, A, bench.ask(client, Command::Get(key))),
        "for one command"
    );
    assert_eq!(asked(&mut bench, C, set_slot(SetSlot::Node(C))), ok);
    assert_eq!(asked(&mut bench, A, set_slot(SetSlot::Node(C))), ok);
    bench.advance(TIMEOUT.times(2));
    assert_agreed(&bench, 4);
    assert!(moved(key, C, asked(&mut bench, D, Command::Get(key))));
    assert!(bench.is_primary(A), "one slot is not all");
}

/// Partitions and failovers in every order that the dice give: in the end all agree.
#[test]
fn whatever_happens_no_slot_is_claimed_twice_under_one_epoch() {
    for round in 0..24_u64 {
        let mut bench = with_two_replicas();
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
                0 => bench.part(node, NodeId(roll(5) as u16)),
                1 => bench.join(),
                2 => {
                    fail_over(&mut bench, node, ClusterFailover::Agreed);
                }
                3 => {
                    fail_over(&mut bench, node, ClusterFailover::Takeover);
                }
                _ => {
                    fail_over(&mut bench, node, ClusterFailover::Force);
                }
            }
            bench.advance(Duration::millis(100 + roll(3_000)));
        }
        bench.join();
        bench.advance(TIMEOUT.times(8));
        assert_agreed(&bench, 5);
    }
}
