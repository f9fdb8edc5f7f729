//! The failover's own states: how they are entered, left, and what is refused in them.

use rebound_engine::Duration;
use rebound_sim::valkey::{AddressBook, Command, ErrorKind, FailoverState, Reply};

use rebound_conform::bench::{A, B, Bench};

use crate::versions::ALL as VERSIONS;

fn error(kind: ErrorKind) -> Option<Reply> {
    Some(Reply::Error(kind))
}

#[test]
fn c01_an_idle_failover_takes_one_turn_to_start_and_swaps_the_roles() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let (old, _) = bench.server(A).replids();
        assert_eq!(bench.failover(false, None), Some(Reply::Ok));
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        assert!(bench.is_primary(B) && !bench.is_primary(A));
        // A partial resynchronization: both know the new history, and the old as the second one.
        let (a, b) = (bench.server(A).replids(), bench.server(B).replids());
        assert_eq!(a, b);
        assert_eq!(a.1, Some(old));
    }
}

#[test]
fn the_handshake_is_said_in_order() {
    for (version, capa) in [
        ("7.2.7", 1),
        ("8.0.1", 2),
        ("8.1", 2),
        ("9.0", 2),
        ("9.1", 2),
    ] {
        let mut bench = Bench::new(version, 2);
        bench.handshake.clear();
        bench.failover(false, None);
        let said: Vec<_> = bench
            .handshake
            .iter()
            .map(|(node, what)| (*node, &what[..]))
            .collect();
        let mut expected = vec![(A, "PING"), (A, "REPLCONF")];
        expected.extend(vec![(A, "REPLCONF"); capa]);
        expected.push((A, "PSYNC FAILOVER"));
        assert_eq!(said, expected, "{version}");
    }
}

#[test]
fn c02_an_unacknowledged_write_waits_for_the_next_acknowledgement() {
    for version in VERSIONS {
        let mut bench = Bench::waiting(version, Some(10_000));
        bench.release(B, A, false);
        assert_eq!(
            bench.state(A),
            FailoverState::WaitForSync,
            "no GETACK is sent"
        );
        bench.advance(Duration::millis(1_000));
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        assert!(bench.is_primary(B));
    }
}

#[test]
fn c09_a_timeout_without_force_lets_writes_go_on() {
    for version in VERSIONS {
        let mut bench = Bench::waiting(version, Some(300));
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), None);
        bench.advance(Duration::millis(299));
        assert_eq!(bench.reply(client), None);
        bench.advance(Duration::millis(101));
        assert_eq!(bench.reply(client), Some(Reply::Ok));
        assert!(bench.is_primary(A) && bench.state(A) == FailoverState::NoFailover);
    }
}

#[test]
fn c10_c11_pings_move_the_offset_only_without_timeout() {
    for version in VERSIONS {
        for (timeout, grows) in [(None, true), (Some(60_000), false)] {
            let mut bench = Bench::waiting(version, timeout);
            let before = bench.server(A).offset();
            bench.advance(Duration::secs(4));
            let grown = bench.server(A).offset() - before;
            // One PING of 14 bytes a second: the period is counted in runs of a cron that is ten
            // times as fast now.
            assert_eq!(grown, if grows { 4 * 14 } else { 0 });
        }
    }
}

#[test]
fn c12_a_target_that_drops_its_link_while_waiting_cannot_come_back() {
    for version in VERSIONS {
        let mut bench = Bench::waiting(version, None);
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), None);
        bench.cut(B, A);
        bench.release(B, A, false);
        bench.advance(Duration::secs(5));
        assert_eq!(bench.state(A), FailoverState::WaitForSync);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        assert_eq!(bench.reply(client), Some(Reply::Ok));
        bench.advance(Duration::secs(2));
        assert!(!bench.is_primary(B) && bench.server(B).offset() == bench.server(A).offset());
    }
}

#[test]
fn c30_c31_abort_in_progress_makes_a_primary_of_a_new_history() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress(version);
        let (old, _) = bench.server(A).replids();
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        assert!(bench.is_primary(A));
        let (new, second) = bench.server(A).replids();
        assert!(new != old && second == Some(old));
        assert_eq!(
            bench.ask(admin, Command::FailoverAbort),
            error(ErrorKind::NoFailoverInProgress)
        );
        bench.release(A, B, true);
        bench.advance(Duration::secs(2));
        assert!(!bench.is_primary(B), "PSYNC had not been sent");
        assert_eq!(
            bench.server(B).replids().0,
            new,
            "B is back by a partial resynchronization"
        );
    }
}

#[test]
fn c32_in_progress_neither_replicaof_nor_another_failover_is_taken() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress(version);
        let admin = bench.connect(A);
        for primary in [None, Some(AddressBook::of(B))] {
            let reply = bench.ask(admin, Command::ReplicaOf(primary));
            assert_eq!(reply, error(ErrorKind::ReplicaOfFailingOver));
        }
        assert_eq!(
            bench.failover(false, None),
            error(ErrorKind::FailoverInProgress)
        );
    }
}

#[test]
fn c67_unmet_preconditions_are_answered_in_their_order() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(A);
        let to = |node| Some(AddressBook::of(node));
        let failover = |to, force, timeout_ms| Command::Failover {
            to,
            force,
            timeout_ms,
        };
        for (command, kind) in [
            (Command::FailoverAbort, ErrorKind::NoFailoverInProgress),
            (
                Command::FailoverMalformed(ErrorKind::Syntax),
                ErrorKind::Syntax,
            ),
            (failover(None, true, Some(5)), ErrorKind::FailoverForce),
            (failover(to(B), true, None), ErrorKind::FailoverForce),
            (failover(to(A), false, None), ErrorKind::FailoverNotAReplica),
        ] {
            assert_eq!(bench.ask(admin, command), error(kind));
        }
        let at_replica = bench.connect(B);
        let reply = bench.ask(at_replica, failover(None, false, None));
        assert_eq!(reply, error(ErrorKind::FailoverOnReplica));
        let mut alone = Bench::new(version, 1);
        let admin = alone.connect(A);
        let reply = alone.ask(admin, failover(None, false, None));
        assert_eq!(reply, error(ErrorKind::FailoverNoReplicas));
    }
}

#[test]
fn c65_a_transaction_goes_on_behind_its_own_failover() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(A);
        bench.ask(admin, Command::Multi);
        let (first, second) = (bench.set(), bench.set());
        for command in [
            first,
            Command::Failover {
                to: None,
                force: false,
                timeout_ms: None,
            },
            second,
        ] {
            assert_eq!(bench.ask(admin, command), Some(Reply::Queued));
        }
        assert_eq!(bench.ask(admin, Command::Exec), Some(Reply::Array(3)));
        bench.advance(Duration::millis(1_100));
        assert!(bench.is_primary(B));
        let write = second.write().expect("a write");
        assert!(bench.server(B).data().has(write), "{version}");
    }
}
