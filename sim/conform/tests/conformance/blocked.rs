//! Blocked clients around the change of roles.

use rebound_sim::engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, Redirect, Reply, WriteId,
};

use rebound_conform::lab::{A, B, Client, Lab};

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
fn block(lab: &mut Lab, version: &str) -> [Client; 3] {
    [BLPOP, XREAD, WAIT].map(|command| {
        let client = match version {
            "7.2.7" => lab.connect(A),
            _ => lab.capa(A),
        };
        assert_eq!(lab.ask(client, command), None, "{version}");
        client
    })
}

#[test]
fn c22_blocked_clients_are_thrown_out_at_the_demotion_or_dealt_with_at_the_completion() {
    for version in ALL {
        let mut lab = Lab::new(version, 2);
        let clients = block(&mut lab, version);
        lab.hold(A, B, true);
        // The GETACK that WAIT asks for has moved the offset, so the failover needs the next
        // acknowledgement.
        lab.failover(false, None);
        lab.advance(Duration::millis(1_100));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        if UNBLOCKING.contains(&version) {
            for client in clients {
                assert_eq!(lab.reply(client), UNBLOCKED, "{version}");
                assert!(!lab.is_open(client));
            }
            continue;
        }
        assert!(REDIRECTING.contains(&version));
        for client in clients {
            assert_eq!(lab.reply(client), None, "{version}");
        }
        lab.complete();
        let [popper, reader, waiter] = clients;
        for client in [popper, reader] {
            let reply = lab.reply(client);
            let to_b = matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B));
            assert!(to_b && lab.is_open(client), "{version}: {reply:?}");
        }
        assert_eq!(lab.reply(waiter), UNBLOCKED);
        assert!(!lab.is_open(waiter));
    }
}

/// Also C22: what `READONLY` makes of it. `XREAD` only reads, so a replica may serve it.
#[test]
fn c22_a_reader_of_a_stream_that_said_readonly_waits_on_from_9_0() {
    for version in ["8.0.0-rc1", "8.0.1", "8.1", "9.0", "9.1"] {
        let mut lab = Lab::new(version, 2);
        let client = lab.capa(A);
        lab.ask(client, Command::ReadOnly);
        assert_eq!(lab.ask(client, XREAD), None);
        lab.failover(false, None);
        assert!(lab.is_primary(B));
        if UNBLOCKING.contains(&version) {
            assert_eq!(lab.reply(client), UNBLOCKED, "{version}");
            continue;
        }
        assert_eq!(lab.reply(client), None);
        let writer = lab.connect(B);
        let add = Command::XAdd(8, WriteId(910));
        assert_eq!(lab.ask(writer, add), Some(Reply::Value(WriteId(910))));
        let served = Some(Reply::Array(1));
        assert_eq!(lab.reply(client), served, "{version}: by the replica");
    }
}

/// C66: who reads a stream at the target stays through its promotion.
#[test]
fn c66_a_reader_at_the_target_is_served_after_its_promotion() {
    for version in ALL {
        let mut lab = Lab::new(version, 2);
        let reader = lab.connect(B);
        assert_eq!(lab.ask(reader, XREAD), None);
        lab.failover(false, None);
        assert!(lab.is_primary(B));
        assert_eq!(lab.reply(reader), None);
        let writer = lab.connect(B);
        lab.ask(writer, Command::XAdd(8, WriteId(910)));
        assert_eq!(lab.reply(reader), Some(Reply::Array(1)), "{version}");
    }
}

#[test]
fn c23_what_is_pipelined_behind_a_blocked_command_is_dropped() {
    for version in ALL {
        let mut lab = Lab::new(version, 2);
        let client = lab.connect(A);
        assert_eq!(lab.ask(client, BLPOP), None);
        let set = lab.set();
        lab.send(client, set);
        lab.failover(false, None);
        assert_eq!(lab.reply(client), UNBLOCKED);
        assert_eq!(lab.reply(client), None);
        let write = set.write().expect("a write");
        assert!(!lab.server(A).data().has(write) && !lab.server(B).data().has(write));
    }
}

#[test]
fn a_pop_that_comes_while_waiting_for_sync_is_postponed_not_blocked() {
    let mut lab = Lab::waiting("8.0.1", None);
    let client = lab.capa(A);
    assert_eq!(lab.ask(client, BLPOP), None);
    lab.release(B, A, false);
    lab.advance(Duration::millis(1_100));
    let reply = lab.reply(client);
    assert!(
        matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(B))
    );
}

#[test]
fn a_push_serves_who_waits_longest_and_is_replicated_as_a_pop() {
    let mut lab = Lab::new("8.0.1", 2);
    let (first, second, pusher) = (lab.connect(A), lab.connect(A), lab.connect(A));
    assert_eq!(lab.ask(first, BLPOP), None);
    let other = Command::BlPop {
        key: 7,
        timeout_ms: 300,
        write: WriteId(901),
    };
    assert_eq!(lab.ask(second, other), None);
    assert_eq!(
        lab.ask(pusher, Command::LPush(7, WriteId(902))),
        Some(Reply::Int(1))
    );
    assert_eq!(lab.reply(first), Some(Reply::Array(2)));
    assert_eq!(lab.reply(second), None);
    lab.advance(Duration::millis(301));
    assert_eq!(lab.reply(second), Some(Reply::Nil));
    for node in [A, B] {
        let data = lab.server(node).data();
        assert!(data.has(WriteId(902)) && data.has(WriteId(900)) && !data.has(WriteId(901)));
        assert_eq!(data.list_len(7), 0);
    }
}

#[test]
fn wait_is_answered_by_a_getack() {
    let mut lab = Lab::new("8.0.1", 2);
    let client = lab.connect(A);
    let set = lab.set();
    lab.ask(client, set);
    let wait = Command::Wait {
        replicas: 1,
        timeout_ms: 0,
    };
    assert_eq!(
        lab.ask(client, wait),
        Some(Reply::Int(1)),
        "at once: GETACK is answered at once"
    );
    let replica = lab.connect(B);
    let error = Some(Reply::Error(ErrorKind::WaitOnReplica));
    assert_eq!(lab.ask(replica, wait), error);
}

#[test]
fn a_subscriber_stays_and_hears_what_reaches_the_node_as_a_replica() {
    let mut lab = Lab::new("8.0.1", 2);
    let subscriber = lab.capa(A);
    assert_eq!(
        lab.ask(subscriber, Command::Subscribe(4)),
        Some(Reply::Subscribed)
    );
    lab.failover(false, None);
    assert!(lab.is_primary(B) && lab.is_open(subscriber));
    let at_b = lab.connect(B);
    assert_eq!(lab.ask(at_b, Command::Publish(4)), Some(Reply::Int(0)));
    assert_eq!(lab.reply(subscriber), Some(Reply::Published));
}

#[test]
fn replicaof_throws_blocked_clients_out_at_once() {
    let mut lab = Lab::new("8.0.1", 2);
    let client = lab.connect(A);
    assert_eq!(lab.ask(client, BLPOP), None);
    let admin = lab.connect(A);
    lab.ask(admin, Command::ReplicaOf(Some(AddressBook::of(B))));
    assert_eq!(lab.reply(client), UNBLOCKED);
}

#[test]
fn an_entry_serves_everybody_who_reads_the_stream_on_primary_and_replica() {
    let mut lab = Lab::new("8.0.1", 2);
    let readers = [lab.connect(A), lab.connect(A), lab.connect(B)];
    for reader in readers {
        assert_eq!(lab.ask(reader, XREAD), None);
    }
    let late = Command::XReadBlock {
        key: 9,
        timeout_ms: 300,
    };
    let other = lab.connect(A);
    assert_eq!(lab.ask(other, late), None);
    let writer = lab.connect(A);
    lab.ask(writer, Command::XAdd(8, WriteId(910)));
    for reader in readers {
        assert_eq!(lab.reply(reader), Some(Reply::Array(1)));
    }
    assert_eq!(lab.reply(other), None);
    lab.advance(Duration::millis(301));
    assert_eq!(lab.reply(other), Some(Reply::Nil));
    assert_eq!(lab.ask(writer, Command::XRead(8)), Some(Reply::Array(1)));
    assert_eq!(lab.ask(writer, Command::XRead(9)), Some(Reply::Nil));
}
