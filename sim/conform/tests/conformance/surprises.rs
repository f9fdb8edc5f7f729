//! What was surprising when real servers were measured, each under the versions that showed it.

use rebound_conform::bench::{A, B, Bench};
use rebound_engine::Duration;
use rebound_sim::valkey::{
    Addr, AddressBook, Command, ErrorKind, FailoverState, NodeId, Redirect, Reply, Script, WriteId,
};

use crate::faults::{psync_failover_sent, until_psync_is_sent};
use crate::versions::{ALL, CAPABLE, FIXED, REDIRECTING, UNBLOCKING};

const GET: Command = Command::Get(1);
const BLPOP: Command = Command::BlPop {
    key: 7,
    timeout_ms: 0,
    write: WriteId(900),
};

fn to(reply: Option<Reply>) -> Option<Addr> {
    match reply {
        Some(Reply::Redirect(Redirect { to, .. })) => Some(to),
        _ => None,
    }
}

const fn at(node: NodeId) -> Option<Addr> {
    Some(AddressBook::of(node))
}

/// The wait for the replica takes up to a second, since it acknowledges once a second; the rest
/// takes round trips. An idle failover does not wait at all.
#[test]
fn surprise_01_the_wait_for_the_acknowledgement_dominates() {
    for version in ALL {
        let mut waits = Vec::new();
        for phase in 0..10 {
            let mut bench = Bench::new(version, 2);
            bench.advance(Duration::millis(phase * 100));
            let client = bench.connect(A);
            let set = bench.set();
            bench.ask(client, set);
            bench.failover(false, Some(10_000));
            let begun = bench.now;
            while bench.state(A) == FailoverState::WaitForSync {
                bench.advance(Duration::millis(1));
            }
            waits.push(bench.now.since(begun));
            assert!(bench.is_primary(B), "{version}");
        }
        let (least, most) = (waits.iter().min(), waits.iter().max());
        assert!(
            most <= Some(&Duration::millis(1_001)),
            "{version}: {most:?}"
        );
        assert!(most > Some(&Duration::millis(800)) && least < Some(&Duration::millis(200)));
        let mut idle = Bench::new(version, 2);
        idle.failover(false, None);
        assert_eq!(idle.state(A), FailoverState::NoFailover);
    }
}

/// Nothing ends the window but success, refusal and ABORT; TIMEOUT does not.
#[test]
fn surprise_02_the_window_has_no_timeout_and_dials_ten_times_a_second() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        bench.refuse(B, true);
        bench.failover(true, Some(200));
        let client = FIXED.contains(&version).then(|| bench.capa(A));
        if let Some(client) = client {
            assert_eq!(bench.ask(client, GET), None);
        }
        bench.wire.clear();
        bench.advance(Duration::secs(60));
        let dialled = bench.wire.iter().filter(|passed| passed.from == A).count();
        assert!((599..=601).contains(&dialled), "{version}: {dialled}");
        assert_eq!(bench.state(A), FailoverState::InProgress);
        if let Some(client) = client {
            assert_eq!(bench.reply(client), None, "{version}");
        }
    }
}

/// What fails before PSYNC is tried again; PSYNC is not.
#[test]
fn surprise_03_any_failure_of_psync_ends_the_failover_at_once() {
    for version in ALL {
        let mut before = Bench::in_progress(version);
        before.cut(A, B);
        assert_eq!(before.state(A), FailoverState::InProgress);
        before.release(A, B, true);
        before.advance(Duration::millis(110));
        assert!(before.is_primary(B), "{version}");

        let mut after = Bench::new(version, 2);
        after.hold(A, B, false);
        after.failover(false, None);
        until_psync_is_sent(&mut after, false);
        after.handshake.clear();
        after.cut(A, B);
        assert_eq!(after.state(A), FailoverState::NoFailover, "{version}");
        assert!(after.is_primary(A) && after.is_primary(B), "for good");
        after.release(A, B, false);
        after.advance(Duration::secs(5));
        assert!(after.is_primary(A) && after.is_primary(B));
        assert_eq!(psync_failover_sent(&after), 0);
        if CAPABLE.contains(&version) {
            for node in [A, B] {
                let client = after.capa(node);
                let set = after.set();
                assert_eq!(after.ask(client, set), Some(Reply::Ok), "nobody is told");
            }
        }
    }
}

/// A writer without the capability is refused in the window and waits before it.
#[test]
fn surprise_04_the_pause_does_not_hold_plain_writers_in_the_window() {
    for version in ALL {
        let mut bench = Bench::waiting(version, None);
        let early = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(early, set), None);
        bench.hold(A, B, true);
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        let late = bench.connect(A);
        let read_only = Some(Reply::Error(ErrorKind::ReadOnly));
        assert_eq!(bench.ask(late, set), read_only, "{version}");
        assert_eq!(bench.reply(early), None, "who waits already waits on");
        if FIXED.contains(&version) {
            let capable = bench.capa(A);
            assert_eq!(bench.ask(capable, set), None);
        }
        bench.complete();
        assert_eq!(bench.reply(early), read_only, "{version}");
    }
}

/// The target knows nothing of the failover to it, so two redirects are what the fix leaves.
#[test]
fn surprise_05_the_target_redirects_to_the_old_primary_all_the_time() {
    for version in FIXED {
        let mut bench = Bench::waiting(version, None);
        let at_b = bench.capa(B);
        assert_eq!(to(bench.ask(at_b, GET)), at(A));
        bench.hold(A, B, true);
        bench.release(B, A, false);
        bench.advance(Duration::millis(1_100));
        assert_eq!(to(bench.ask(at_b, GET)), at(A), "{version}");
        let follower = bench.capa(A);
        assert_eq!(bench.ask(follower, GET), None);
        bench.complete();
        assert_eq!(to(bench.reply(follower)), at(B));
        assert!(matches!(bench.ask(at_b, GET), Some(Reply::Value(_))));
    }
}

/// A redirect is no promise: it names the primary's address, whether anybody answers there or not.
#[test]
fn surprise_06_a_redirect_names_what_the_failover_named() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        bench.failover(false, None);
        bench.kill(B);
        bench.advance(Duration::secs(2));
        let client = bench.capa(A);
        assert_eq!(to(bench.ask(client, GET)), at(B), "{version}");
        let nowhere = bench.address("10.255.255.1", 1);
        let admin = bench.connect(A);
        bench.ask(admin, Command::ReplicaOf(Some(nowhere)));
        assert_eq!(to(bench.ask(client, GET)), Some(nowhere));
    }
}

/// An empty array looks like success.
#[test]
fn surprise_07_a_redirected_command_of_a_transaction_is_forgotten_in_rc1() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(B);
        bench.ask(client, Command::Multi);
        let set = bench.set();
        assert_eq!(to(bench.ask(client, set)), at(A));
        let outcome = if FIXED.contains(&version) {
            Reply::Error(ErrorKind::ExecAbort)
        } else {
            Reply::Array(0)
        };
        assert_eq!(bench.ask(client, Command::Exec), Some(outcome), "{version}");
    }
}

/// Up to 8.1 before anybody knows whether the failover will succeed.
#[test]
fn surprise_08_blocked_clients_are_thrown_out_at_the_start_or_redirected_at_the_end() {
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        let client = bench.capa(A);
        assert_eq!(bench.ask(client, BLPOP), None);
        bench.hold(A, B, true);
        bench.failover(false, None);
        let unblocked = Some(Reply::Error(ErrorKind::Unblocked));
        let early = bench.reply(client);
        bench.complete();
        if UNBLOCKING.contains(&version) {
            assert_eq!(early, unblocked, "{version}");
            assert!(!bench.is_open(client));
        } else {
            assert!(REDIRECTING.contains(&version) && early.is_none());
            assert_eq!(to(bench.reply(client)), at(B), "{version}");
            assert!(bench.is_open(client));
        }
    }
}

/// Neither in a failover nor on a replica.
#[test]
fn surprise_09_what_is_neither_read_nor_write_is_never_redirected() {
    let never = [
        Command::Script(Script::Get, 1),
        Command::Script(Script::Set(WriteId(800)), 1),
        Command::Script(Script::NoWritesGet, 1),
        Command::Watch(1),
        Command::Publish(4),
        Command::Ping,
        Command::Role,
        Command::Multi,
    ];
    let always = [
        Command::Script(Script::ShebangSet(WriteId(801)), 1),
        Command::Script(Script::RoGet, 1),
        Command::DbSize,
        Command::Scan,
    ];
    for version in CAPABLE {
        let mut bench = Bench::new(version, 2);
        for command in never {
            let client = bench.capa(B);
            let reply = bench.ask(client, command);
            assert!(reply.is_some() && to(reply).is_none(), "{command:?}");
        }
        for command in always {
            let client = bench.capa(B);
            assert_eq!(to(bench.ask(client, command)), at(A), "{command:?}");
        }
        let mut bench = Bench::in_progress(version);
        let clients = never.map(|command| {
            let client = bench.capa(A);
            bench.send(client, command);
            client
        });
        bench.complete();
        for (client, command) in clients.into_iter().zip(never) {
            let reply = bench.reply(client);
            assert!(reply.is_some() && to(reply).is_none(), "{command:?}");
        }
    }
}

/// Each takes the other's stream, so nothing that looks at links sees anything.
#[test]
fn surprise_10_replicas_of_each_other_are_connected() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(A);
        bench.ask(admin, Command::ReplicaOf(at(B)));
        bench.advance(Duration::secs(10));
        for node in [A, B] {
            assert!(!bench.is_primary(node));
            let belief = bench.server(node).belief().to_string();
            assert!(belief.contains("link up"), "{version}: {belief}");
        }
    }
}

/// Who announces another port is not known by its own.
#[test]
fn surprise_11_failover_needs_the_announced_port() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        let real = bench.address("n1", 16_379);
        let admin = bench.connect(A);
        let failover = Command::Failover {
            to: Some(real),
            force: false,
            timeout_ms: None,
        };
        let unknown = Some(Reply::Error(ErrorKind::FailoverNotAReplica));
        assert_eq!(bench.ask(admin, failover), unknown, "{version}");
        assert_eq!(bench.state(A), FailoverState::NoFailover);
    }
}
