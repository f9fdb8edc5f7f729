//! What is said of connections: capabilities, RESET, CLIENT UNBLOCK, idle time, and what a
//! redirect calls a primary.

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, Redirect, Reply, UnblockReason, WriteId,
};

use rebound_conform::bench::{A, B, Bench};

use crate::versions::{ALL, CAPABLE, FIXED};

const GET: Command = Command::Get(1);
const BLPOP: Command = Command::BlPop {
    key: 7,
    timeout_ms: 0,
    write: WriteId(900),
};

/// Versions in which `CLIENT UNBLOCK` may be said of a postponed client.
const PANICKING: [&str; 3] = ["7.2.7", "8.0.0-rc1", "8.0.1"];

fn redirected(reply: Option<Reply>) -> bool {
    matches!(reply, Some(Reply::Redirect(Redirect { to, .. })) if to == AddressBook::of(A))
}

/// A client that is postponed at A in a failover, and its id.
fn postponed(version: &str) -> (Bench, rebound_conform::bench::Client, u32) {
    let mut bench = Bench::waiting(version, None);
    let client = bench.connect(A);
    let set = bench.set();
    assert_eq!(bench.ask(client, set), None);
    let id = bench.id(client);
    (bench, client, id)
}

/// C36.
#[test]
fn c36_client_unblock_with_error_drops_a_postponed_command_up_to_8_0() {
    for version in ALL {
        let (mut bench, client, id) = postponed(version);
        let admin = bench.connect(A);
        let reply = bench.ask(admin, Command::ClientUnblock(id, UnblockReason::Error));
        if PANICKING.contains(&version) {
            assert_eq!(reply, Some(Reply::Int(1)));
            let unblocked = Some(Reply::Error(ErrorKind::UnblockedByClient));
            assert_eq!(bench.reply(client), unblocked, "{version}");
            assert!(bench.is_open(client));
            bench.ask(admin, Command::FailoverAbort);
            assert_eq!(bench.reply(client), None, "it never runs");
        } else {
            assert_eq!(reply, Some(Reply::Int(0)));
            assert_eq!(bench.reply(client), None, "{version}");
            bench.ask(admin, Command::FailoverAbort);
            assert_eq!(bench.reply(client), Some(Reply::Ok));
        }
    }
}

/// C37.
#[test]
fn c37_client_unblock_of_a_postponed_client_ends_the_process_up_to_8_0() {
    for version in ALL {
        let (mut bench, client, id) = postponed(version);
        let admin = bench.connect(A);
        let reply = bench.ask(admin, Command::ClientUnblock(id, UnblockReason::Timeout));
        let panics = PANICKING.contains(&version);
        assert_eq!(bench.is_running(A), !panics, "{version}");
        assert_eq!(bench.is_open(admin), !panics);
        assert_eq!(reply, (!panics).then_some(Reply::Int(0)));
        assert_eq!(bench.reply(client), None);
    }
}

#[test]
fn client_unblock_ends_a_blocking_command() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let (admin, client) = (bench.connect(A), bench.connect(A));
        let id = bench.id(client);
        let wait = Command::Wait {
            replicas: 5,
            timeout_ms: 0,
        };
        for (command, reason, reply) in [
            (BLPOP, UnblockReason::Timeout, Reply::Nil),
            (
                BLPOP,
                UnblockReason::Error,
                Reply::Error(ErrorKind::UnblockedByClient),
            ),
            (wait, UnblockReason::Timeout, Reply::Int(1)),
        ] {
            assert_eq!(bench.ask(client, command), None);
            let said = bench.ask(admin, Command::ClientUnblock(id, reason));
            assert_eq!(said, Some(Reply::Int(1)), "{version}");
            assert_eq!(bench.reply(client), Some(reply));
            assert!(bench.is_open(client));
        }
        for id in [id, 9_999] {
            let said = bench.ask(admin, Command::ClientUnblock(id, UnblockReason::Error));
            assert_eq!(said, Some(Reply::Int(0)));
        }
    }
}

/// C38: only who has nothing to wait for is idle.
#[test]
fn c38_a_postponed_client_is_not_idle() {
    for version in FIXED {
        let mut bench =
            Bench::in_progress_with(version, 2, |config| config.timeout = Duration::secs(1));
        let (waiting, idle, subscriber) = (bench.capa(A), bench.capa(A), bench.connect(A));
        assert_eq!(bench.ask(waiting, GET), None);
        bench.ask(subscriber, Command::Subscribe(4));
        bench.advance(Duration::secs(1));
        assert!(bench.is_open(idle));
        bench.advance(Duration::secs(3));
        assert!(!bench.is_open(idle), "{version}");
        assert!(bench.is_open(waiting) && bench.is_open(subscriber));
        bench.complete();
        assert!(bench.reply(waiting).is_some());
        bench.advance(Duration::millis(500));
        assert!(bench.is_open(waiting), "it has just been answered");
        bench.advance(Duration::secs(3));
        assert!(!bench.is_open(waiting));
    }
}

/// C55 and C56: a redirect calls the primary what REPLICAOF called it.
#[test]
fn c55_c56_a_redirect_names_the_primary_as_replicaof_did() {
    for version in CAPABLE {
        for (host, port, text) in [
            ("::1", 6379, "::1:6379"),
            ("primary.example.org", 6380, "primary.example.org:6380"),
        ] {
            let mut bench = Bench::new(version, 2);
            let address = bench.address(host, port);
            let admin = bench.connect(B);
            bench.ask(admin, Command::ReplicaOf(Some(address)));
            let client = bench.capa(B);
            let Some(Reply::Redirect(Redirect { to, .. })) = bench.ask(client, GET) else {
                panic!("{version}: no redirect")
            };
            assert_eq!(bench.text(to), text);
        }
    }
}

/// C57.
#[test]
fn c57_capabilities_that_nobody_knows_are_passed_over() {
    let mut bench = Bench::new("7.2.7", 2);
    let client = bench.connect(A);
    let unknown = Some(Reply::Error(ErrorKind::UnknownCapa));
    for command in [
        Command::ClientCapa,
        Command::ClientCapaUnknown,
        Command::ClientCapaBare,
    ] {
        assert_eq!(bench.ask(client, command), unknown);
    }
    let disabled = Some(Reply::Error(ErrorKind::ClusterDisabled));
    assert_eq!(bench.ask(client, Command::ReadOnly), disabled);
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.connect(B);
        assert_eq!(
            bench.ask(client, Command::ClientCapaUnknown),
            Some(Reply::Ok)
        );
        let arity = Some(Reply::Error(ErrorKind::CapaArity));
        assert_eq!(
            bench.ask(client, Command::ClientCapaBare),
            arity,
            "{version}"
        );
        assert_eq!(bench.ask(client, GET), Some(Reply::Nil), "no effect");
        assert_eq!(bench.ask(client, Command::ClientCapa), Some(Reply::Ok));
        assert!(redirected(bench.ask(client, GET)));
        assert_eq!(
            bench.ask(client, Command::ClientCapaUnknown),
            Some(Reply::Ok)
        );
        assert!(redirected(bench.ask(client, GET)), "it cannot be unsaid");
    }
}

/// C58.
#[test]
fn c58_reset_forgets_readonly_and_not_the_capability() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(B);
        bench.ask(client, Command::ReadOnly);
        assert_eq!(bench.ask(client, GET), Some(Reply::Nil));
        assert_eq!(bench.ask(client, Command::Reset), Some(Reply::Reset));
        assert!(redirected(bench.ask(client, GET)), "{version}");
    }
}

#[test]
fn reset_ends_transactions_and_subscriptions() {
    let mut bench = Bench::new("8.0.1", 2);
    let (client, other) = (bench.connect(A), bench.connect(A));
    bench.ask(client, Command::Watch(1));
    bench.ask(client, Command::Multi);
    assert_eq!(bench.ask(client, Command::Reset), Some(Reply::Reset));
    let without = Some(Reply::Error(ErrorKind::ExecWithoutMulti));
    assert_eq!(bench.ask(client, Command::Exec), without);
    bench.ask(client, Command::Subscribe(4));
    let context = Some(Reply::Error(ErrorKind::SubscriberContext));
    assert_eq!(bench.ask(client, GET), context);
    assert_eq!(bench.ask(client, Command::Reset), Some(Reply::Reset));
    assert_eq!(bench.ask(client, GET), Some(Reply::Nil));
    assert_eq!(bench.ask(other, Command::Publish(4)), Some(Reply::Int(0)));
}
