//! Blocked clients around the change of roles.

use rebound_sim::engine::Span;
use rebound_sim::valkey::{AddressBook, Command, ErrorKind, Reply, WriteId};

use rebound_sim::lab::{A, B, Lab};

const BLPOP: Command = Command::BlPop {
    key: 7,
    timeout_ms: 0,
    write: WriteId(900),
};
const WAIT: Command = Command::Wait {
    replicas: 3,
    timeout_ms: 0,
};
const UNBLOCKED: Option<Reply> = Some(Reply::Error(ErrorKind::Unblocked));

#[test]
fn c22_blocked_clients_are_thrown_out_at_the_demotion() {
    for version in ["7.2.7", "8.0.0-rc1", "8.0.1"] {
        let mut lab = Lab::new(version, 2);
        let (popper, waiter) = (lab.connect(A), lab.connect(A));
        assert_eq!(lab.ask(popper, BLPOP), None);
        assert_eq!(lab.ask(waiter, WAIT), None);
        lab.hold(A, B, true);
        // The GETACK that WAIT asks for has moved the offset, so the failover needs the next
        // acknowledgement.
        lab.failover(false, None);
        lab.advance(Span::millis(1_100));
        for client in [popper, waiter] {
            assert_eq!(lab.reply(client), UNBLOCKED, "{version}");
            assert!(!lab.is_open(client));
        }
    }
}

#[test]
fn c23_what_is_pipelined_behind_a_blocked_command_is_dropped() {
    let mut lab = Lab::new("8.0.1", 2);
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

#[test]
fn a_pop_that_comes_while_waiting_for_sync_is_postponed_not_blocked() {
    let mut lab = Lab::waiting("8.0.1", None);
    let client = lab.capa(A);
    assert_eq!(lab.ask(client, BLPOP), None);
    lab.release(B, A, false);
    lab.advance(Span::millis(1_100));
    let reply = lab.reply(client);
    assert!(matches!(reply, Some(Reply::Redirect { to, .. }) if to == AddressBook::of(B)));
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
    lab.advance(Span::millis(301));
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
