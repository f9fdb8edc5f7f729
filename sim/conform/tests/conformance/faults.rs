//! What becomes of a failover when something breaks: the failure modes that need no network.

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, PauseKind, Persistence, Reply,
};

use rebound_conform::bench::{A, B, Bench, C};

use crate::versions::{ALL as VERSIONS, FIXED};

pub fn psync_failover_sent(bench: &Bench) -> usize {
    bench
        .handshake
        .iter()
        .filter(|(node, what)| *node == A && what == "PSYNC FAILOVER")
        .count()
}

#[test]
fn c39_a_dead_target_is_dialled_ten_times_a_second_for_ever() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        bench.hold(A, B, true);
        bench.failover(false, None);
        bench.kill(B);
        bench.advance(Duration::secs(2));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        let admin = bench.connect(A);
        assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        assert!(bench.is_primary(A));
    }
}

#[test]
fn c40_a_target_that_comes_back_as_a_primary_ends_the_failover_in_two() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress(version);
        bench.configure(B, None);
        bench.kill(B);
        bench.release(A, B, true);
        bench.start(B);
        bench.advance(Duration::millis(500));
        assert!(bench.is_primary(A) && bench.is_primary(B), "{version}");
        assert_eq!(bench.state(A), FailoverState::NoFailover);
    }
}

#[test]
fn c41_a_target_that_comes_back_with_an_old_snapshot_is_promoted_and_data_is_lost() {
    for version in VERSIONS {
        let mut bench = Bench::with(version, 2, |config| {
            config.persistence = Persistence::LastSync;
            config.repl_diskless_sync_delay = Duration::ZERO;
        });
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), Some(Reply::Ok));
        let wait = Command::Wait {
            replicas: 1,
            timeout_ms: 0,
        };
        assert_eq!(
            bench.ask(client, wait),
            Some(Reply::Int(1)),
            "confirmed by the replica"
        );
        bench.advance(Duration::millis(1_100));
        bench.hold(A, B, true);
        bench.failover(false, None);
        assert_eq!(bench.state(A), FailoverState::InProgress);
        bench.kill(B);
        bench.release(A, B, true);
        bench.start(B);
        bench.advance(Duration::secs(3));
        assert!(bench.is_primary(B) && !bench.is_primary(A), "{version}");
        let write = set.write().expect("a write");
        assert!(!bench.server(A).data().has(write) && !bench.server(B).data().has(write));
    }
}

/// Lets A's handshake go on, a round at a time, until it has sent PSYNC FAILOVER.
pub fn until_psync_is_sent(bench: &mut Bench, held_forward: bool) {
    for _ in 0..8 {
        if psync_failover_sent(bench) > 0 {
            return;
        }
        bench.pass(A, B, held_forward);
    }
    panic!("PSYNC FAILOVER is never sent");
}

#[test]
fn c42_c43_a_lost_reply_leaves_two_primaries() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        bench.hold(A, B, false);
        bench.failover(false, None);
        until_psync_is_sent(&mut bench, false);
        assert!(
            bench.is_primary(B) && bench.state(A) == FailoverState::InProgress,
            "{version}"
        );
        let waiting = FIXED.contains(&version).then(|| {
            let client = bench.capa(A);
            let set = bench.set();
            bench.send(client, set);
            assert_eq!(bench.reply(client), None);
            client
        });
        bench.cut(A, B);
        assert!(bench.is_primary(A) && bench.is_primary(B), "{version}");
        // Postponing makes it worse: what waited is executed on A.
        if let Some(client) = waiting {
            assert_eq!(bench.reply(client), Some(Reply::Ok));
        }
    }
}

/// A connection that is reset when PSYNC is written ends the failover as one that is reset before
/// the reply does. (Afterwards real servers dial `(null)` once a second, which is their own
/// machine; the model's have no primary to dial.)
#[test]
fn c68_a_psync_that_is_lost_ends_the_failover_without_a_retry() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress(version);
        until_psync_is_sent(&mut bench, true);
        bench.handshake.clear();
        bench.cut(A, B);
        bench.release(A, B, true);
        bench.advance(Duration::secs(3));
        assert!(bench.is_primary(A) && !bench.is_primary(B), "{version}");
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        assert_eq!(psync_failover_sent(&bench), 0, "{version}: no retry");
    }
}

#[test]
fn a_connection_that_breaks_before_psync_is_dialled_again_by_the_next_cron() {
    let mut bench = Bench::in_progress("8.0.1");
    bench.cut(A, B);
    assert_eq!(bench.state(A), FailoverState::InProgress);
    bench.release(A, B, true);
    bench.advance(Duration::millis(110));
    assert!(bench.is_primary(B) && bench.state(A) == FailoverState::NoFailover);
}

#[test]
fn f4_a_stopped_target_goes_on_when_it_is_continued() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        bench.stop(B, true);
        bench.failover(false, None);
        bench.advance(Duration::secs(2));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        bench.stop(B, false);
        assert!(bench.is_primary(B) && bench.state(A) == FailoverState::NoFailover);
    }
}

#[test]
fn a_refused_target_is_reached_once_it_listens() {
    let mut bench = Bench::new("8.0.1", 2);
    bench.refuse(B, true);
    bench.failover(false, None);
    bench.advance(Duration::secs(3));
    assert_eq!(bench.state(A), FailoverState::InProgress);
    bench.refuse(B, false);
    bench.advance(Duration::millis(110));
    assert!(bench.is_primary(B));
}

#[test]
fn c47_force_promotes_a_target_that_lags_and_the_rest_is_lost() {
    for version in VERSIONS {
        let mut bench = Bench::waiting(version, None);
        let admin = bench.connect(A);
        bench.ask(admin, Command::FailoverAbort);
        let client = bench.connect(A);
        let set = bench.set();
        bench.ask(client, set);
        assert_eq!(bench.failover(true, Some(100)), Some(Reply::Ok));
        bench.advance(Duration::millis(250));
        assert!(bench.is_primary(B), "{version}");
        assert_eq!(
            bench.state(A),
            FailoverState::InProgress,
            "until the snapshot is begun"
        );
        bench.advance(Duration::secs(7));
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        let write = set.write().expect("a write");
        assert!(!bench.server(A).data().has(write) && !bench.server(B).data().has(write));
        assert_eq!(bench.server(A).replids().0, bench.server(B).replids().0);
    }
}

#[test]
fn c50_another_replica_cannot_come_back_while_it_lasts() {
    for version in VERSIONS {
        let mut bench = Bench::in_progress_with(version, 3, |_| {});
        bench.cut(C, A);
        bench.advance(Duration::secs(3));
        assert!(!bench.server(C).belief().to_string().contains("link up"));
        bench.complete();
        bench.advance(Duration::secs(3));
        assert!(bench.server(C).belief().to_string().contains("link up"));
    }
}

#[test]
fn c54_stale_data_forbidden_at_the_target_is_a_livelock() {
    for version in VERSIONS {
        let mut bench =
            Bench::in_progress_with(version, 2, |config| config.replica_serve_stale_data = false);
        bench.cut(B, A);
        bench.release(A, B, true);
        bench.advance(Duration::secs(10));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        assert!(!bench.is_primary(B));
    }
}

#[test]
fn c62_a_target_under_a_pause_of_everything_answers_when_it_ends() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let admin = bench.connect(B);
        bench.ask(admin, Command::ClientPause(PauseKind::All, 1_500));
        bench.failover(false, None);
        bench.advance(Duration::millis(1_400));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        bench.advance(Duration::millis(250));
        assert!(bench.is_primary(B) && bench.state(A) == FailoverState::NoFailover);
    }
}

#[test]
fn c64_any_client_can_promote_a_replica() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        let client = bench.connect(B);
        let (replid, _) = bench.server(B).replids();
        let offset = bench.server(B).offset() + 1;
        let psync = Command::Psync {
            epoch: None,
            replid: Some(replid),
            offset: offset.into(),
            failover: true,
        };
        assert!(matches!(
            bench.ask(client, psync),
            Some(Reply::Continue { .. })
        ));
        assert!(bench.is_primary(A) && bench.is_primary(B));
    }
}

#[test]
fn psync_failover_is_refused_by_a_primary_and_for_a_foreign_history() {
    let mut bench = Bench::new("8.0.1", 2);
    let (replid, _) = bench.server(A).replids();
    let psync = Command::Psync {
        epoch: None,
        replid: Some(replid),
        offset: 1.into(),
        failover: true,
    };
    let at_a = bench.connect(A);
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverPrimary));
    assert_eq!(bench.ask(at_a, psync), refused);
    let at_b = bench.connect(B);
    let foreign = Command::Psync {
        epoch: None,
        replid: None,
        offset: 1.into(),
        failover: true,
    };
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverReplid));
    assert_eq!(bench.ask(at_b, foreign), refused);
}

#[test]
fn c51_an_old_primary_that_restarts_does_so_as_its_configuration_says() {
    for version in VERSIONS {
        let mut bench = Bench::new(version, 2);
        bench.failover(false, None);
        assert!(bench.is_primary(B));
        bench.kill(A);
        bench.start(A);
        bench.advance(Duration::secs(1));
        assert!(bench.is_primary(A) && bench.is_primary(B));
    }
}

#[test]
fn replicaof_in_either_order() {
    let mut bench = Bench::new("8.0.1", 2);
    let (at_a, at_b) = (bench.connect(A), bench.connect(B));
    assert_eq!(bench.ask(at_b, Command::ReplicaOf(None)), Some(Reply::Ok));
    assert!(
        bench.is_primary(A) && bench.is_primary(B),
        "replica first: two primaries"
    );
    bench.ask(at_a, Command::ReplicaOf(Some(AddressBook::of(B))));
    bench.advance(Duration::secs(8));
    assert!(!bench.is_primary(A));
    assert_eq!(bench.server(A).replids().0, bench.server(B).replids().0);
    assert!(bench.server(A).belief().to_string().contains("link up"));
}
