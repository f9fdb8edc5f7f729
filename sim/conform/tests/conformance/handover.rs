//! Hand-overs that take time, need a password, or end in a resynchronization of another kind.

use rebound_engine::Duration;
use rebound_sim::valkey::{Command, FailoverState, Reply};

use rebound_conform::bench::{A, B, Bench};

use crate::faults::{psync_failover_sent, until_psync_is_sent};
use crate::versions::ALL;

/// C44: the reply never comes; after `repl-timeout` the target is asked again, and refuses, for
/// it is a primary.
#[test]
fn c44_a_reply_that_never_comes_is_a_refusal_after_the_timeout() {
    for version in ALL {
        let mut bench = Bench::with(version, 2, |config| config.repl_timeout = Duration::secs(4));
        bench.hold(A, B, false);
        bench.failover(false, None);
        until_psync_is_sent(&mut bench, false);
        assert!(bench.is_primary(B));
        bench.handshake.clear();
        bench.advance(Duration::millis(3_500));
        assert_eq!(bench.state(A), FailoverState::InProgress, "{version}");
        assert!(bench.handshake.is_empty());
        // The second connection is not held.
        for _ in 0..20 {
            if bench.handshake.is_empty() {
                bench.advance(Duration::millis(100));
            }
        }
        bench.release(A, B, false);
        assert_eq!(psync_failover_sent(&bench), 1, "{version}: asked again");
        assert!(bench.is_primary(A) && bench.is_primary(B), "{version}");
        assert_eq!(bench.state(A), FailoverState::NoFailover);
    }
}

/// FAILOVER is aborted while PSYNC is on its way.
fn aborted_in_flight(version: &str, handover: Duration, replication: Duration) -> Bench {
    let mut bench = Bench::new(version, 2);
    for forward in [true, false] {
        bench.delay(B, A, forward, replication);
        bench.delay(A, B, forward, replication);
    }
    bench.delay(A, B, true, handover);
    bench.advance(Duration::secs(3));
    bench.failover(false, None);
    for _ in 0..1_000 {
        if psync_failover_sent(&bench) > 0 {
            break;
        }
        bench.advance(Duration::millis(10));
    }
    assert!(!bench.is_primary(A) && !bench.is_primary(B), "{version}");
    let admin = bench.connect(A);
    assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
    bench.advance(Duration::secs(3));
    bench
}

/// C45: what is on its way arrives.
#[test]
fn c45_an_abort_does_not_call_psync_back() {
    for version in ALL {
        let bench = aborted_in_flight(version, Duration::millis(50), Duration::millis(50));
        assert!(bench.is_primary(A) && bench.is_primary(B), "{version}");
    }
}

/// C46: unless the target has learned of the new history first.
#[test]
fn c46_a_target_that_has_heard_of_the_abort_refuses_psync() {
    for version in ALL {
        let bench = aborted_in_flight(version, Duration::secs(1), Duration::millis(10));
        assert!(bench.is_primary(A) && !bench.is_primary(B), "{version}");
        assert_eq!(bench.server(A).replids(), bench.server(B).replids());
    }
}

/// C48: as C47, but the target offers a resynchronization over two connections. Measured with
/// 8.1.8, 9.0.0 and 9.1.2.
#[test]
fn c48_a_dual_channel_resynchronization_is_taken_for_a_refusal_before_9_1() {
    for version in ALL {
        let mut bench = Bench::with(version, 2, |config| {
            config.dual_channel_replication_enabled = true;
        });
        bench.hold(B, A, false);
        let client = bench.connect(A);
        let set = bench.set();
        bench.ask(client, set);
        assert_eq!(bench.failover(true, Some(100)), Some(Reply::Ok));
        bench.advance(Duration::millis(250));
        assert!(bench.is_primary(B), "{version}");
        match version {
            // It knows no such resynchronization: the old primary waits for the snapshot.
            "7.2.7" => assert_eq!(bench.state(A), FailoverState::InProgress),
            "9.1" => {
                assert_eq!(bench.state(A), FailoverState::NoFailover);
                assert!(!bench.is_primary(A));
                bench.advance(Duration::secs(8));
                assert_eq!(bench.server(A).replids().0, bench.server(B).replids().0);
                assert!(bench.server(A).belief().to_string().contains("link up"));
            }
            _ => {
                assert_eq!(bench.state(A), FailoverState::NoFailover);
                assert!(bench.is_primary(A), "{version}: two primaries");
            }
        }
    }
}

/// Dual channel or not, a replica that has fallen behind gets a snapshot.
#[test]
fn a_replica_resynchronizes_over_two_channels() {
    let mut bench = Bench::with("8.0.1", 2, |config| {
        config.dual_channel_replication_enabled = true;
        config.repl_diskless_sync_delay = Duration::ZERO;
        config.repl_backlog_size = 1;
    });
    bench.cut(B, A);
    bench.kill(B);
    let client = bench.connect(A);
    let sets = [bench.set(), bench.set()];
    for set in sets {
        bench.ask(client, set);
        bench.advance(Duration::millis(100));
    }
    bench.start(B);
    bench.advance(Duration::secs(3));
    for set in sets {
        assert!(bench.server(B).data().has(set.write().expect("a write")));
    }
}

/// C63: PING and REPLCONF without AUTH are tolerated, PSYNC is not.
#[test]
fn c63_a_target_that_asks_for_a_password_ends_the_failover() {
    for version in ALL {
        let mut bench = Bench::new(version, 2);
        bench.tune(B, |config| config.requirepass = true);
        bench.handshake.clear();
        bench.failover(false, None);
        assert_eq!(psync_failover_sent(&bench), 1, "{version}: PSYNC is sent");
        assert!(bench.is_primary(A) && !bench.is_primary(B), "{version}");
        assert_eq!(bench.state(A), FailoverState::NoFailover);
        bench.advance(Duration::secs(2));
        bench.tune(A, |config| config.primaryauth = true);
        bench.handshake.clear();
        bench.failover(false, None);
        bench.advance(Duration::secs(2));
        let said = |name: &str| bench.handshake.iter().any(|(_, what)| what == name);
        assert!(said("AUTH"));
        assert!(bench.is_primary(B) && !bench.is_primary(A), "{version}");
    }
}

/// Who says AUTH where nobody asks for it is refused, and tries again for ever.
#[test]
fn a_password_that_nobody_asks_for_is_an_error() {
    let mut bench = Bench::new("8.0.1", 2);
    bench.tune(A, |config| config.primaryauth = true);
    bench.failover(false, None);
    bench.advance(Duration::secs(2));
    assert_eq!(bench.state(A), FailoverState::InProgress);
    assert_eq!(psync_failover_sent(&bench), 0);
}
