//! Failures and elections in a cluster, without an operator: what cluster_legacy.c of 8.0.1 says.

use super::*;

/// The timers of an automatic failover: nobody notices before the node time-out; an election
/// half a second to a second after the FAIL.
#[test]
fn a_crashed_primary_is_replaced_after_the_node_timeout() {
    let mut bench = cluster("8.0.1");
    bench.kill(A);
    let crashed = bench.now;
    let mut failed_at = None;
    let mut won_at = None;
    for _ in 0..600 {
        bench.advance(Duration::millis(10));
        let failed = saw(&bench, B, |event| event == ClusterEvent::Failed { peer: A }) > 0;
        if failed && failed_at.is_none() {
            failed_at = Some(bench.now);
        }
        if bench.is_primary(B) && won_at.is_none() {
            won_at = Some(bench.now);
        }
    }
    let failed_at: Time = failed_at.expect("a majority agrees");
    let won_at: Time = won_at.expect("the replica takes over");
    let noticed = failed_at.since(crashed);
    assert!(noticed >= TIMEOUT, "{noticed}");
    assert!(
        noticed <= TIMEOUT.times(2) + Duration::millis(500),
        "{noticed}"
    );
    let election = won_at.since(failed_at);
    assert!(election >= Duration::millis(490), "{election}");
    assert!(election <= Duration::millis(1_300), "{election}");
    assert_eq!(bench.server(C).cluster_health(), Some(ClusterHealth::Ok));
}

#[test]
fn while_a_primary_is_failed_the_cluster_serves_nothing() {
    let mut bench = Bench::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
    });
    let key = bench.key_of(A);
    bench.kill(B);
    bench.advance(TIMEOUT.times(2) + Duration::millis(500));
    let down = Some(Reply::Error(ErrorKind::ClusterDown));
    assert_eq!(asked(&mut bench, A, Command::Get(key)), down);
    assert_eq!(
        bench.server(A).cluster_health(),
        Some(ClusterHealth::NotCovered)
    );
    // Back again, it is taken for reachable only after a while, since it had slots.
    bench.start(B);
    bench.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut bench, A, Command::Get(key)), Some(Reply::Nil));
}

#[test]
fn without_full_coverage_the_rest_is_served_and_reads_may_be() {
    let mut bench = Bench::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_require_full_coverage = false;
    });
    let (own, lost) = (bench.key_of(A), bench.key_of(B));
    bench.kill(B);
    bench.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut bench, A, Command::Get(own)), Some(Reply::Nil));
    assert!(moved(lost, B, asked(&mut bench, A, Command::Get(lost))));
    let mut bench = Bench::cluster("8.0.1", &[None, None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_allow_reads_when_down = true;
    });
    bench.kill(B);
    bench.advance(TIMEOUT.times(3));
    assert_eq!(asked(&mut bench, A, Command::Get(own)), Some(Reply::Nil));
    let set = bench.set_key(own);
    let refused = Some(Reply::Error(ErrorKind::ClusterDownReadOnly));
    assert_eq!(asked(&mut bench, A, set), refused);
}

#[test]
fn a_primary_that_comes_back_becomes_a_replica() {
    let mut bench = cluster("8.0.1");
    bench.kill(A);
    bench.advance(TIMEOUT.times(3));
    assert!(bench.is_primary(B));
    let key = bench.key_of(B);
    bench.start(A);
    // It takes the cluster for failed for two seconds, so that others can tell it.
    let down = Some(Reply::Error(ErrorKind::ClusterDown));
    assert_eq!(asked(&mut bench, A, Command::Get(key)), down);
    bench.advance(Duration::millis(1_500));
    assert!(!bench.is_primary(A));
    bench.advance(TIMEOUT);
    assert!(moved(key, B, asked(&mut bench, A, Command::Get(key))));
    bench.advance(TIMEOUT.times(2));
    assert_agreed(&bench, 4);
}

#[test]
fn of_two_replicas_one_wins_and_the_other_follows_it() {
    let mut bench = with_two_replicas();
    bench.kill(A);
    bench.advance(TIMEOUT.times(4));
    assert!(bench.is_primary(B) != bench.is_primary(E));
    let (winner, other) = if bench.is_primary(B) { (B, E) } else { (E, B) };
    assert_eq!(bench.server(other).primary(), Some(AddressBook::of(winner)));
    let won = |event| matches!(event, ClusterEvent::ElectionWon { .. });
    assert_eq!(saw(&bench, winner, won), 1);
    assert_eq!(saw(&bench, other, won), 0);
}

#[test]
fn a_replica_with_less_data_waits_a_second_longer() {
    let mut bench = with_two_replicas();
    // E lacks a write.
    bench.hold(E, A, false);
    let key = bench.key_of(A);
    let set = bench.set_key(key);
    assert_eq!(asked(&mut bench, A, set), Some(Reply::Ok));
    bench.kill(A);
    bench.advance(TIMEOUT.times(4));
    assert!(bench.is_primary(B) && !bench.is_primary(E));
}

#[test]
fn a_replica_that_has_been_cut_off_for_too_long_does_not_stand() {
    let mut bench = Bench::cluster("8.0.1", &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_replica_validity_factor = 1;
        config.repl_ping_replica_period = 1;
    });
    bench.refuse(A, true);
    bench.cut(B, A);
    bench.advance(TIMEOUT.times(4));
    bench.kill(A);
    bench.advance(TIMEOUT.times(4));
    assert!(!bench.is_primary(B));
    assert_eq!(
        saw(&bench, B, |event| event == ClusterEvent::Failed { peer: A }),
        1
    );
    assert_eq!(
        saw(&bench, B, |e| matches!(
            e,
            ClusterEvent::ElectionPlanned { .. }
        )),
        0
    );
    // By hand it still can.
    fail_over(&mut bench, B, ClusterFailover::Force);
    bench.advance(Duration::millis(300));
    assert!(bench.is_primary(B));
}

#[test]
fn a_node_told_not_to_stand_does_not() {
    let mut bench = Bench::cluster("8.0.1", &[None, Some(A), None, None], |config| {
        config.cluster_node_timeout = TIMEOUT;
        config.cluster_replica_no_failover = true;
    });
    bench.kill(A);
    bench.advance(TIMEOUT.times(5));
    assert!(!bench.is_primary(B));
    assert_eq!(
        bench.server(C).cluster_health(),
        Some(ClusterHealth::NotCovered)
    );
}

/// In 8.0.1 that counts for manual failovers too: a second one within twice the node time-out
/// gets no votes.
#[test]
fn a_primary_votes_once_in_twice_the_node_timeout_for_replicas_of_a_primary() {
    let mut bench = with_two_replicas();
    fail_over(&mut bench, B, ClusterFailover::Agreed);
    bench.advance(Duration::millis(300));
    assert!(bench.is_primary(B));
    bench.advance(TIMEOUT);
    fail_over(&mut bench, A, ClusterFailover::Agreed);
    bench.advance(Duration::millis(300));
    assert!(
        bench.is_primary(A),
        "it was not about B that they had voted"
    );
    bench.advance(Duration::millis(300));
    fail_over(&mut bench, B, ClusterFailover::Agreed);
    bench.advance(Duration::millis(300));
    assert!(!bench.is_primary(B));
    let refused = |event| {
        matches!(
            event,
            ClusterEvent::VoteRefused {
                why: VoteRefusal::VotedLately,
                ..
            }
        )
    };
    assert!(saw(&bench, C, refused) > 0);
}

/// Two replicas take over without a vote: both give themselves the same epoch, until that is
/// resolved, and one of them keeps the slots.
#[test]
fn epochs_that_collide_are_resolved() {
    // The last has the greatest epoch, so that neither of the two has it.
    let last = NodeId(5);
    let roles = [None, Some(A), None, None, Some(A), Some(D)];
    let mut bench = Bench::cluster("8.0.1", &roles, |config| {
        config.cluster_node_timeout = TIMEOUT;
    });
    for one in [B, E] {
        for other in [A, C, D, last] {
            bench.part(one, other);
        }
    }
    bench.part(B, E);
    fail_over(&mut bench, B, ClusterFailover::Takeover);
    fail_over(&mut bench, E, ClusterFailover::Takeover);
    assert_eq!(
        bench.server(B).config_epoch(B),
        bench.server(E).config_epoch(E)
    );
    bench.join();
    bench.advance(TIMEOUT.times(5));
    assert_agreed(&bench, 6);
    assert!(!bench.is_primary(A));
    assert!(saw(&bench, B, |e| matches!(e, ClusterEvent::EpochTaken { .. })) > 1);
}
