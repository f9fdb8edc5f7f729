//! Blocked clients around the change of roles.

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, Redirect, Reply, WriteId,
};

use rebound_conform::bench::{A, B, Bench, Client};

use crate::versions::{ALL, REDIRECTING, UNBLOCKING};

const BLPOP: Command = Command::BlPop {
    key: 7,
    timeout_ms: 0,
    write: WriteId(900),
};
const WAIT: Command = Command::Wait {
    replicas: 3,
    timeout_ms: 0,
};
const XREAD: Command = Command::XReadBlock {
    key: 8,
    timeout_ms: 0,
};
const UNBLOCKED: Option<Reply> = Some(Reply::Error(ErrorKind::Unblocked));

/// What blocks at A before a failover: in `BLPOP`, in `XREAD` and in `WAIT`, with the capability if
/// the version knows it.
fn block(bench: &mut Bench, version: &str) -> [Client; 3] {
    [BLPOP, XREAD, WAIT].map(|command| {
        let client = match version {
            "7.2.7" => bench.connect(A),
            _ => bench.capa(A),
        };
        assert_eq!(bench.ask(client, command), None, "{version}");
        client
    })
}

#[test]
fn c22_blocked_clients_are_thrown_out_at_the_demotion_or_dealt_with_at_the_completion() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let clients = block(&mut bench, version);
        bench.hold(A, B, true);
        // The GETACK that WAIT asks for has moved the offset, so the failover needs the next
        // acknowledgement.
        bench.failover(false, None);
        bench.advance(Duration::millis(1_100));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        if UNBLOCKING.contains(&version) {
            for client in clients {
                assert_eq!(bench.reply(client), UNBLOCKED, "{version}");
                assert!(!bench.is_open(client));
            }
            continue;
        }
        assert!(REDIRECTING.contains(&version));
        for client in clients {
            assert_eq!(bench.reply(client), None, "{version}");
        }
        bench.complete();
        let [popper, reader, waiter] = clients;
        for client in [popper, reader] {
            let reply = bench.reply(client);
            let to_b = matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B));
            assert!(to_b && bench.is_open(client), "{version}: {reply:?}");
        }
        assert_eq!(bench.reply(waiter), UNBLOCKED);
        assert!(!bench.is_open(waiter));
    }
}

/// Also C22: what `READONLY` makes of it. `XREAD` only reads, so a replica may serve it.
#[test]
fn c22_a_reader_of_a_stream_that_said_readonly_waits_on_from_9_0() {
    for version in ["8.0.0-rc1", "8.0.1", "8.1", "9.0", "9.1"] {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(A);
        bench.ask(client, Command::ReadOnly);
        assert_eq!(bench.ask(client, XREAD), None);
        bench.failover(false, None);
        assert!(bench.is_primary(B));
        if UNBLOCKING.contains(&version) {
            assert_eq!(bench.reply(client), UNBLOCKED, "{version}");
            continue;
        }
        assert_eq!(bench.reply(client), None);
        let writer = bench.connect(B);
        let add = Command::XAdd(8, WriteId(910));
        assert_eq!(bench.ask(writer, add), Some(Reply::Value(WriteId(910))));
        let served = Some(Reply::Array(1));
        assert_eq!(bench.reply(client), served, "{version}: by the replica");
    }
}

/// C66: who reads a stream at the target stays through its promotion.
#[test]
fn c66_a_reader_at_the_target_is_served_after_its_promotion() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let reader = bench.connect(B);
        assert_eq!(bench.ask(reader, XREAD), None);
        bench.failover(false, None);
        assert!(bench.is_primary(B));
        assert_eq!(bench.reply(reader), None);
        let writer = bench.connect(B);
        bench.ask(writer, Command::XAdd(8, WriteId(910)));
        assert_eq!(bench.reply(reader), Some(Reply::Array(1)), "{version}");
    }
}

#[test]
fn c23_what_is_pipelined_behind_a_blocked_command_is_dropped() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let client = bench.connect(A);
        assert_eq!(bench.ask(client, BLPOP), None);
        let set = bench.set();
        bench.send(client, set);
        bench.failover(false, None);
        assert_eq!(bench.reply(client), UNBLOCKED);
        assert_eq!(bench.reply(client), None);
        let write = set.write().expect("a write");
        assert!(!bench.server(A).data().has(write) && !bench.server(B).data().has(write));
    }
}

#[test]
fn a_pop_that_comes_while_waiting_for_sync_is_postponed_not_blocked() {
    let mut bench = Bench::waiting("8.0.1", None);
    let client = bench.capa(A);
    assert_eq!(bench.ask(client, BLPOP), None);
    bench.release(B, A, false);
    bench.advance(Duration::millis(1_100));
    let reply = bench.reply(client);
    assert!(
        matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B))
    );
}

#[test]
fn a_push_serves_who_waits_longest_and_is_replicated_as_a_pop() {
    let mut bench = Bench::new("8.0.1", 2);
    let (first, second, pusher) = (bench.connect(A), bench.connect(A), bench.connect(A));
    assert_eq!(bench.ask(first, BLPOP), None);
    let other = Command::BlPop {
        key: 7,
        timeout_ms: 300,
        write: WriteId(901),
    };
    assert_eq!(bench.ask(second, other), None);
    assert_eq!(
        bench.ask(pusher, Command::LPush(7, WriteId(902))),
        Some(Reply::Int(1))
    );
    assert_eq!(bench.reply(first), Some(Reply::Array(2)));
    assert_eq!(bench.reply(second), None);
    bench.advance(Duration::millis(301));
    assert_eq!(bench.reply(second), Some(Reply::Nil));
    for node in [A, B] {
        let data = bench.server(node).data();
        assert!(data.has(WriteId(902)) && data.has(WriteId(900)) && !data.has(WriteId(901)));
        assert_eq!(data.list_len(7), 0);
    }
}

#[test]
fn wait_is_answered_by_a_getack() {
    let mut bench = Bench::new("8.0.1", 2);
    let client = bench.connect(A);
    let set = bench.set();
    bench.ask(client, set);
    let wait = Command::Wait {
        replicas: 1,
        timeout_ms: 0,
    };
    assert_eq!(
        bench.ask(client, wait),
        Some(Reply::Int(1)),
        "at once: GETACK is answered at once"
    );
    let replica = bench.connect(B);
    let error = Some(Reply::Error(ErrorKind::WaitOnReplica));
    assert_eq!(bench.ask(replica, wait), error);
}

#[test]
fn a_subscriber_stays_and_hears_what_reaches_the_node_as_a_replica() {
    let mut bench = Bench::new("8.0.1", 2);
    let subscriber = bench.capa(A);
    assert_eq!(
        bench.ask(subscriber, Command::Subscribe(4)),
        Some(Reply::Subscribed)
    );
    bench.failover(false, None);
    assert!(bench.is_primary(B) && bench.is_open(subscriber));
    let at_b = bench.connect(B);
    assert_eq!(bench.ask(at_b, Command::Publish(4)), Some(Reply::Int(0)));
    assert_eq!(bench.reply(subscriber), Some(Reply::Published));
}

#[test]
fn replicaof_throws_blocked_clients_out_at_once() {
    let mut bench = Bench::new("8.0.1", 2);
    let client = bench.connect(A);
    assert_eq!(bench.ask(client, BLPOP), None);
    let admin = bench.connect(A);
    bench.ask(admin, Command::ReplicaOf(Some(AddressBook::of(B))));
    assert_eq!(bench.reply(client), UNBLOCKED);
}

#[test]
fn an_entry_serves_everybody_who_reads_the_stream_on_primary_and_replica() {
    let mut bench = Bench::new("8.0.1", 2);
    let readers = [bench.connect(A), bench.connect(A), bench.connect(B)];
    for reader in readers {
        assert_eq!(bench.ask(reader, XREAD), None);
    }
    let late = Command::XReadBlock {
        key: 9,
        timeout_ms: 300,
    };
    let other = bench.connect(A);
    assert_eq!(bench.ask(other, late), None);
    let writer = bench.connect(A);
    bench.ask(writer, Command::XAdd(8, WriteId(910)));
    for reader in readers {
        assert_eq!(bench.reply(reader), Some(Reply::Array(1)));
    }
    assert_eq!(bench.reply(other), None);
    bench.advance(Duration::millis(301));
    assert_eq!(bench.reply(other), Some(Reply::Nil));
    assert_eq!(bench.ask(writer, Command::XRead(8)), Some(Reply::Array(1)));
    assert_eq!(bench.ask(writer, Command::XRead(9)), Some(Reply::Nil));
}
