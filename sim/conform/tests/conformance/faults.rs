//! What becomes of a failover when something breaks: the failure modes that need no network.

use rebound_sim::engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, ErrorKind, FailoverState, PauseKind, Persistence, Reply,
};

use rebound_conform::lab::{A, B, C, Lab};

use crate::versions::{ALL as VERSIONS, FIXED};

pub fn psync_failover_sent(lab: &Lab) -> usize {
    lab.handshake
        .iter()
        .filter(|(node, what)| *node == A && what == "PSYNC FAILOVER")
        .count()
}

#[test]
fn c39_a_dead_target_is_dialled_ten_times_a_second_for_ever() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        lab.hold(A, B, true);
        lab.failover(false, None);
        lab.kill(B);
        lab.advance(Duration::secs(2));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        let admin = lab.connect(A);
        assert_eq!(lab.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
        assert!(lab.is_primary(A));
    }
}

#[test]
fn c40_a_target_that_comes_back_as_a_primary_ends_the_failover_in_two() {
    for version in VERSIONS {
        let mut lab = Lab::in_progress(version);
        lab.configure(B, None);
        lab.kill(B);
        lab.release(A, B, true);
        lab.start(B);
        lab.advance(Duration::millis(500));
        assert!(lab.is_primary(A) && lab.is_primary(B), "{version}");
        assert_eq!(lab.state(A), FailoverState::NoFailover);
    }
}

#[test]
fn c41_a_target_that_comes_back_with_an_old_snapshot_is_promoted_and_data_is_lost() {
    for version in VERSIONS {
        let mut lab = Lab::with(version, 2, |config| {
            config.persistence = Persistence::LastSync;
            config.repl_diskless_sync_delay = Duration::ZERO;
        });
        let client = lab.connect(A);
        let set = lab.set();
        assert_eq!(lab.ask(client, set), Some(Reply::Ok));
        let wait = Command::Wait {
            replicas: 1,
            timeout_ms: 0,
        };
        assert_eq!(
            lab.ask(client, wait),
            Some(Reply::Int(1)),
            "confirmed by the replica"
        );
        lab.advance(Duration::millis(1_100));
        lab.hold(A, B, true);
        lab.failover(false, None);
        assert_eq!(lab.state(A), FailoverState::InProgress);
        lab.kill(B);
        lab.release(A, B, true);
        lab.start(B);
        lab.advance(Duration::secs(3));
        assert!(lab.is_primary(B) && !lab.is_primary(A), "{version}");
        let write = set.write().expect("a write");
        assert!(!lab.server(A).data().has(write) && !lab.server(B).data().has(write));
    }
}

/// Lets A's handshake go on, a round at a time, until it has sent PSYNC FAILOVER.
pub fn until_psync_is_sent(lab: &mut Lab, held_forward: bool) {
    for _ in 0..8 {
        if psync_failover_sent(lab) > 0 {
            return;
        }
        lab.pass(A, B, held_forward);
    }
    panic!("PSYNC FAILOVER is never sent");
}

#[test]
fn c42_c43_a_lost_reply_leaves_two_primaries() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        lab.hold(A, B, false);
        lab.failover(false, None);
        until_psync_is_sent(&mut lab, false);
        assert!(
            lab.is_primary(B) && lab.state(A) == FailoverState::InProgress,
            "{version}"
        );
        let waiting = FIXED.contains(&version).then(|| {
            let client = lab.capa(A);
            let set = lab.set();
            lab.send(client, set);
            assert_eq!(lab.reply(client), None);
            client
        });
        lab.cut(A, B);
        assert!(lab.is_primary(A) && lab.is_primary(B), "{version}");
        // Postponing makes it worse: what waited is executed on A.
        if let Some(client) = waiting {
            assert_eq!(lab.reply(client), Some(Reply::Ok));
        }
    }
}

/// A connection that is reset when PSYNC is written ends the failover as one that is reset before
/// the reply does. (Afterwards real servers dial `(null)` once a second, which is their own
/// machine; the model's have no primary to dial.)
#[test]
fn c68_a_psync_that_is_lost_ends_the_failover_without_a_retry() {
    for version in VERSIONS {
        let mut lab = Lab::in_progress(version);
        until_psync_is_sent(&mut lab, true);
        lab.handshake.clear();
        lab.cut(A, B);
        lab.release(A, B, true);
        lab.advance(Duration::secs(3));
        assert!(lab.is_primary(A) && !lab.is_primary(B), "{version}");
        assert_eq!(lab.state(A), FailoverState::NoFailover);
        assert_eq!(psync_failover_sent(&lab), 0, "{version}: no retry");
    }
}

#[test]
fn a_connection_that_breaks_before_psync_is_dialled_again_by_the_next_cron() {
    let mut lab = Lab::in_progress("8.0.1");
    lab.cut(A, B);
    assert_eq!(lab.state(A), FailoverState::InProgress);
    lab.release(A, B, true);
    lab.advance(Duration::millis(110));
    assert!(lab.is_primary(B) && lab.state(A) == FailoverState::NoFailover);
}

#[test]
fn f4_a_stopped_target_goes_on_when_it_is_continued() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        lab.stop(B, true);
        lab.failover(false, None);
        lab.advance(Duration::secs(2));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        lab.stop(B, false);
        assert!(lab.is_primary(B) && lab.state(A) == FailoverState::NoFailover);
    }
}

#[test]
fn a_refused_target_is_reached_once_it_listens() {
    let mut lab = Lab::new("8.0.1", 2);
    lab.refuse(B, true);
    lab.failover(false, None);
    lab.advance(Duration::secs(3));
    assert_eq!(lab.state(A), FailoverState::InProgress);
    lab.refuse(B, false);
    lab.advance(Duration::millis(110));
    assert!(lab.is_primary(B));
}

#[test]
fn c47_force_promotes_a_target_that_lags_and_the_rest_is_lost() {
    for version in VERSIONS {
        let mut lab = Lab::waiting(version, None);
        let admin = lab.connect(A);
        lab.ask(admin, Command::FailoverAbort);
        let client = lab.connect(A);
        let set = lab.set();
        lab.ask(client, set);
        assert_eq!(lab.failover(true, Some(100)), Some(Reply::Ok));
        lab.advance(Duration::millis(250));
        assert!(lab.is_primary(B), "{version}");
        assert_eq!(
            lab.state(A),
            FailoverState::InProgress,
            "until the snapshot is begun"
        );
        lab.advance(Duration::secs(7));
        assert_eq!(lab.state(A), FailoverState::NoFailover);
        let write = set.write().expect("a write");
        assert!(!lab.server(A).data().has(write) && !lab.server(B).data().has(write));
        assert_eq!(lab.server(A).replids().0, lab.server(B).replids().0);
    }
}

#[test]
fn c50_another_replica_cannot_come_back_while_it_lasts() {
    for version in VERSIONS {
        let mut lab = Lab::in_progress_with(version, 3, |_| {});
        lab.cut(C, A);
        lab.advance(Duration::secs(3));
        assert!(!lab.server(C).belief().to_string().contains("link up"));
        lab.complete();
        lab.advance(Duration::secs(3));
        assert!(lab.server(C).belief().to_string().contains("link up"));
    }
}

#[test]
fn c54_stale_data_forbidden_at_the_target_is_a_livelock() {
    for version in VERSIONS {
        let mut lab =
            Lab::in_progress_with(version, 2, |config| config.replica_serve_stale_data = false);
        lab.cut(B, A);
        lab.release(A, B, true);
        lab.advance(Duration::secs(10));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        assert!(!lab.is_primary(B));
    }
}

#[test]
fn c62_a_target_under_a_pause_of_everything_answers_when_it_ends() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        let admin = lab.connect(B);
        lab.ask(admin, Command::ClientPause(PauseKind::All, 1_500));
        lab.failover(false, None);
        lab.advance(Duration::millis(1_400));
        assert_eq!(lab.state(A), FailoverState::InProgress);
        lab.advance(Duration::millis(250));
        assert!(lab.is_primary(B) && lab.state(A) == FailoverState::NoFailover);
    }
}

#[test]
fn c64_any_client_can_promote_a_replica() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        let client = lab.connect(B);
        let (replid, _) = lab.server(B).replids();
        let offset = lab.server(B).offset() + 1;
        let psync = Command::Psync {
            epoch: None,
            replid: Some(replid),
            offset: offset.into(),
            failover: true,
        };
        assert!(matches!(
            lab.ask(client, psync),
            Some(Reply::Continue { .. })
        ));
        assert!(lab.is_primary(A) && lab.is_primary(B));
    }
}

#[test]
fn psync_failover_is_refused_by_a_primary_and_for_a_foreign_history() {
    let mut lab = Lab::new("8.0.1", 2);
    let (replid, _) = lab.server(A).replids();
    let psync = Command::Psync {
        epoch: None,
        replid: Some(replid),
        offset: 1.into(),
        failover: true,
    };
    let at_a = lab.connect(A);
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverPrimary));
    assert_eq!(lab.ask(at_a, psync), refused);
    let at_b = lab.connect(B);
    let foreign = Command::Psync {
        epoch: None,
        replid: None,
        offset: 1.into(),
        failover: true,
    };
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverReplid));
    assert_eq!(lab.ask(at_b, foreign), refused);
}

#[test]
fn c51_an_old_primary_that_restarts_does_so_as_its_configuration_says() {
    for version in VERSIONS {
        let mut lab = Lab::new(version, 2);
        lab.failover(false, None);
        assert!(lab.is_primary(B));
        lab.kill(A);
        lab.start(A);
        lab.advance(Duration::secs(1));
        assert!(lab.is_primary(A) && lab.is_primary(B));
    }
}

#[test]
fn replicaof_in_either_order() {
    let mut lab = Lab::new("8.0.1", 2);
    let (at_a, at_b) = (lab.connect(A), lab.connect(B));
    assert_eq!(lab.ask(at_b, Command::ReplicaOf(None)), Some(Reply::Ok));
    assert!(
        lab.is_primary(A) && lab.is_primary(B),
        "replica first: two primaries"
    );
    lab.ask(at_a, Command::ReplicaOf(Some(AddressBook::of(B))));
    lab.advance(Duration::secs(8));
    assert!(!lab.is_primary(A));
    assert_eq!(lab.server(A).replids().0, lab.server(B).replids().0);
    assert!(lab.server(A).belief().to_string().contains("link up"));
}
