//! What each remedy changes, and that it changes nothing else. No server has been seen to do any
//! of this: these are the rules as they are proposed.

use rebound_engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, Epoch, ErrorKind, FailoverState, LinkState, Redirect, Reply, Role,
};

use rebound_conform::bench::{A, B, Bench, C};

const GET: Command = Command::Get(1);
const HOLDS: &str = "8.0.1+target-holds";
const CONNECTED: &str = "8.0.1+demote-when-connected";
const AGAIN: &str = "8.0.1+idempotent-promotion";
const CHECKED: &str = "8.0.1+checked-promotion";
const EPOCHS: &str = "none+epoch-redirect";

fn address(node: rebound_sim::valkey::NodeId) -> rebound_sim::valkey::Addr {
    AddressBook::of(node)
}

fn redirected_to(reply: Option<Reply>) -> rebound_sim::valkey::NodeId {
    let Some(Reply::Redirect(Redirect { to, .. })) = reply else {
        panic!("no redirect: {reply:?}");
    };
    rebound_sim::valkey::NodeId(to.0)
}

/// The epoch of a redirect, and where it points.
fn epoch_of(reply: Option<Reply>) -> (u16, rebound_sim::valkey::NodeId) {
    let Some(Reply::Redirect(Redirect { epoch, .. })) = reply else {
        panic!("no redirect: {reply:?}");
    };
    let epoch = epoch.map_or(0, Epoch::number);
    (epoch, redirected_to(reply))
}

/// A waits for B, whose acknowledgements are held; B has been told.
fn told(behaviour: &str, timeout_ms: Option<u32>) -> Bench {
    let mut bench = Bench::new(behaviour, 3);
    bench.hold(B, A, true);
    assert_eq!(bench.failover(false, timeout_ms), Some(Reply::Ok));
    assert_eq!(bench.state(A), FailoverState::WaitForSync);
    bench
}

#[test]
fn a_target_that_is_told_holds_until_it_is_promoted() {
    let mut bench = told(HOLDS, None);
    let (reader, writer, plain) = (bench.capa(B), bench.capa(B), bench.connect(B));
    let set = bench.set();
    assert_eq!(bench.ask(reader, GET), None);
    assert_eq!(bench.ask(writer, set), None);
    let read_only = Some(Reply::Error(ErrorKind::ReadOnly));
    assert_eq!(bench.ask(plain, set), read_only, "without the capability");
    let elsewhere = bench.capa(C);
    assert_eq!(
        redirected_to(bench.ask(elsewhere, GET)),
        A,
        "not the target"
    );
    bench.release(B, A, true);
    assert!(bench.is_primary(B) && !bench.is_primary(A));
    assert_eq!(
        bench.reply(reader),
        Some(Reply::Nil),
        "in the order they came"
    );
    assert_eq!(bench.reply(writer), Some(Reply::Ok));
}

#[test]
fn without_the_remedy_the_target_redirects() {
    let mut bench = Bench::waiting("8.0.1", None);
    let client = bench.capa(B);
    assert_eq!(redirected_to(bench.ask(client, GET)), A);
}

#[test]
fn a_failover_that_is_off_lets_the_target_redirect_again() {
    let mut bench = told(HOLDS, None);
    let client = bench.capa(B);
    assert_eq!(bench.ask(client, GET), None);
    let admin = bench.connect(A);
    assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
    assert_eq!(redirected_to(bench.reply(client)), A);

    let mut bench = told(HOLDS, Some(1_000));
    let client = bench.capa(B);
    assert_eq!(bench.ask(client, GET), None);
    bench.advance(Duration::millis(900));
    assert_eq!(bench.reply(client), None);
    bench.advance(Duration::millis(300));
    assert_eq!(bench.state(A), FailoverState::NoFailover);
    assert_eq!(redirected_to(bench.reply(client)), A);
    assert_eq!(redirected_to(bench.ask(client, GET)), A);
}

#[test]
fn a_target_that_loses_the_old_primary_or_follows_another_lets_go() {
    let mut bench = told(HOLDS, None);
    let client = bench.capa(B);
    assert_eq!(bench.ask(client, GET), None);
    bench.cut(B, A);
    assert_eq!(redirected_to(bench.reply(client)), A);

    let mut bench = told(HOLDS, None);
    let client = bench.capa(B);
    assert_eq!(bench.ask(client, GET), None);
    let admin = bench.connect(B);
    bench.ask(admin, Command::ReplicaOf(Some(address(C))));
    assert_eq!(redirected_to(bench.reply(client)), C);
}

/// An abort in `failover-in-progress` breaks the target's link, since the history changes.
#[test]
fn an_abort_after_the_demotion_lets_the_target_go_as_well() {
    let mut bench = Bench::in_progress(HOLDS);
    let client = bench.capa(B);
    assert_eq!(bench.ask(client, GET), None);
    let admin = bench.connect(A);
    bench.ask(admin, Command::FailoverAbort);
    assert!(bench.is_primary(A));
    assert_eq!(redirected_to(bench.reply(client)), A);
}

/// The entry is acknowledged at once, as GETACK is: the wait for a replica that lacks nothing
/// ends at once and not at its next acknowledgement.
#[test]
fn telling_the_target_shortens_the_wait() {
    for (behaviour, at_once) in [("8.0.1", false), (HOLDS, true)] {
        let mut bench = Bench::new(behaviour, 2);
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), Some(Reply::Ok));
        assert_eq!(bench.failover(false, None), Some(Reply::Ok));
        assert_eq!(bench.is_primary(B), at_once, "{behaviour}");
        bench.advance(Duration::millis(1_100));
        assert!(bench.is_primary(B), "{behaviour}");
    }
}

#[test]
fn without_to_the_first_that_has_caught_up_is_told_and_must_acknowledge_that() {
    let mut bench = Bench::new(HOLDS, 3);
    let admin = bench.connect(A);
    bench.hold(B, A, true);
    bench.hold(C, A, true);
    let any = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    assert_eq!(bench.ask(admin, any), Some(Reply::Ok));
    assert_eq!(bench.state(A), FailoverState::WaitForSync);
    let (at_b, at_c) = (bench.capa(B), bench.capa(C));
    assert_eq!(bench.ask(at_b, GET), None, "the first in the list");
    assert_eq!(redirected_to(bench.ask(at_c, GET)), A);
    // The chosen one is lost: the other is chosen in its place.
    bench.release(C, A, true);
    bench.kill(B);
    bench.advance(Duration::millis(1_500));
    assert!(bench.is_primary(C) && !bench.is_primary(A));
    assert_eq!(bench.state(A), FailoverState::NoFailover);
}

#[test]
fn a_primary_that_cannot_reach_the_target_stays_one_until_the_time_out() {
    let mut bench = Bench::new(CONNECTED, 2);
    bench.refuse(B, true);
    assert_eq!(bench.failover(false, Some(2_000)), Some(Reply::Ok));
    let (reader, writer) = (bench.capa(A), bench.connect(A));
    let set = bench.set();
    bench.advance(Duration::secs(1));
    assert!(bench.is_primary(A) && bench.state(A) == FailoverState::WaitForSync);
    assert_eq!(bench.ask(reader, GET), Some(Reply::Nil), "reads are served");
    assert_eq!(
        bench.ask(writer, set),
        None,
        "writes wait, READONLY to nobody"
    );
    bench.advance(Duration::millis(1_200));
    assert_eq!(bench.state(A), FailoverState::NoFailover);
    assert_eq!(bench.reply(writer), Some(Reply::Ok), "the time-out applies");
    bench.refuse(B, false);
    bench.advance(Duration::secs(2));
    assert!(
        bench.is_primary(A) && !bench.is_primary(B),
        "and it is over"
    );
    // As it is in 8.0.1: demoted, without a time-out.
    let mut bench = Bench::new("8.0.1", 2);
    bench.refuse(B, true);
    bench.failover(false, Some(2_000));
    bench.advance(Duration::secs(5));
    assert_eq!(bench.state(A), FailoverState::InProgress);
}

#[test]
fn a_target_that_can_be_reached_again_is_dialled_within_100_ms() {
    let mut bench = Bench::new(CONNECTED, 2);
    bench.refuse(B, true);
    bench.failover(false, Some(10_000));
    bench.advance(Duration::secs(1));
    bench.refuse(B, false);
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(B) && !bench.is_primary(A));
    assert_eq!(bench.state(A), FailoverState::NoFailover);
}

#[test]
fn a_hand_over_connection_that_breaks_before_the_demotion_is_made_anew() {
    let mut bench = Bench::new(CONNECTED, 2);
    bench.hold(A, B, true);
    bench.failover(false, None);
    assert!(bench.is_primary(A) && bench.state(A) == FailoverState::WaitForSync);
    bench.cut(A, B);
    assert!(bench.is_primary(A) && bench.state(A) == FailoverState::WaitForSync);
    bench.release(A, B, true);
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(B) && bench.state(A) == FailoverState::NoFailover);
}

/// Without TIMEOUT every version sends a PING a second while it waits, and can miss the moment in
/// which the target has everything for ever.
#[test]
fn pings_stop_while_the_connection_is_awaited() {
    let grown = |behaviour: &str| {
        let mut bench = Bench::new(behaviour, 2);
        bench.hold(B, A, true);
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), Some(Reply::Ok), "not acknowledged");
        bench.failover(false, None);
        assert_eq!(bench.state(A), FailoverState::WaitForSync);
        let before = bench.server(A).offset();
        bench.advance(Duration::secs(12));
        bench.server(A).offset() - before
    };
    assert!(grown("8.0.1") >= 10 * 14, "C10");
    assert_eq!(grown(CONNECTED), 0);
}

#[test]
fn an_abort_before_the_demotion_closes_the_hand_over_connection() {
    let mut bench = Bench::new(CONNECTED, 2);
    bench.hold(A, B, true);
    bench.failover(false, None);
    let admin = bench.connect(A);
    assert_eq!(bench.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
    bench.release(A, B, true);
    bench.advance(Duration::secs(2));
    assert!(bench.is_primary(A) && !bench.is_primary(B));
    assert_eq!(bench.server(A).belief().link, LinkState::None);
    assert_eq!(bench.server(A).belief().role, Role::Primary);
    // Nothing is left over: the next failover succeeds.
    bench.failover(false, None);
    bench.advance(Duration::secs(2));
    assert!(bench.is_primary(B));
}

#[test]
fn force_does_not_ask_for_equality_but_for_a_connection() {
    let mut bench = Bench::new(CONNECTED, 2);
    bench.hold(B, A, false);
    let client = bench.connect(A);
    let set = bench.set();
    bench.ask(client, set);
    bench.refuse(B, true);
    assert_eq!(bench.failover(true, Some(500)), Some(Reply::Ok));
    bench.advance(Duration::secs(2));
    assert!(bench.is_primary(A), "there is nobody to hand over to");
    bench.refuse(B, false);
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(B) && !bench.is_primary(A));
}

/// A failover whose reply is lost with its connection.
fn reply_lost(behaviour: &str) -> Bench {
    let mut bench = Bench::new(behaviour, 2);
    bench.hold(A, B, false);
    bench.failover(false, None);
    for _ in 0..4 {
        // PING, the address, REPLCONF twice; then the reply to PSYNC stays behind.
        if bench.is_primary(B) {
            break;
        }
        bench.pass(A, B, false);
    }
    assert!(bench.is_primary(B));
    bench.cut(A, B);
    bench.release(A, B, false);
    bench
}

#[test]
fn a_lost_reply_is_asked_for_again() {
    let mut bench = reply_lost("8.0.1");
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(A) && bench.is_primary(B), "two primaries");

    let mut bench = reply_lost(AGAIN);
    assert!(!bench.is_primary(A));
    // What the new primary takes meanwhile reaches the old one.
    let client = bench.connect(B);
    let set = bench.set();
    assert_eq!(bench.ask(client, set), Some(Reply::Ok));
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(B) && !bench.is_primary(A));
    assert_eq!(bench.state(A), FailoverState::NoFailover);
    bench.advance(Duration::secs(1));
    assert_eq!(bench.server(A).offset(), bench.server(B).offset());
}

#[test]
fn only_who_was_promoted_by_the_same_history_answers_again() {
    let mut bench = reply_lost(AGAIN);
    let (_, before) = bench.server(B).replids();
    let psync = |replid| Command::Psync {
        replid,
        offset: 1.into(),
        failover: true,
        epoch: None,
    };
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverPrimary));
    let stranger = bench.connect(B);
    assert_eq!(bench.ask(stranger, psync(None)), refused);
    let (now, _) = bench.server(B).replids();
    assert_eq!(bench.ask(stranger, psync(Some(now))), refused);
    // Promoted by hand: replid2 is the same, but nobody has asked for it.
    let mut by_hand = Bench::new(AGAIN, 2);
    let admin = by_hand.connect(B);
    by_hand.ask(admin, Command::ReplicaOf(None));
    let (_, replid2) = by_hand.server(B).replids();
    assert_eq!(by_hand.ask(admin, psync(replid2)), refused);
    assert!(before.is_some() && replid2.is_some());
}

/// Nobody listens any more: the process that was asked is gone, and its promotion with it.
#[test]
fn a_refused_connection_after_an_unanswered_request_ends_the_failover() {
    let mut bench = reply_lost(AGAIN);
    bench.kill(B);
    bench.advance(Duration::millis(210));
    assert!(bench.is_primary(A) && bench.state(A) == FailoverState::NoFailover);

    // Before the request has been sent a refusal says nothing.
    let mut bench = Bench::in_progress(AGAIN);
    bench.kill(B);
    bench.advance(Duration::secs(2));
    assert_eq!(bench.state(A), FailoverState::InProgress);
}

/// A target whose link to the old primary is down when it is asked.
fn asked_without_a_link(behaviour: &str) -> Bench {
    let mut bench = Bench::in_progress(behaviour);
    bench.cut(B, A);
    bench.advance(Duration::millis(50));
    assert_ne!(bench.server(B).belief().link, LinkState::Up);
    bench.release(A, B, true);
    bench.advance(Duration::millis(50));
    bench
}

#[test]
fn a_checked_promotion_needs_the_link_to_the_old_primary() {
    let bench = asked_without_a_link("8.0.1");
    assert!(bench.is_primary(B), "nobody asks");
    let bench = asked_without_a_link(CHECKED);
    assert!(bench.is_primary(A) && !bench.is_primary(B));
    assert_eq!(bench.state(A), FailoverState::NoFailover);

    let mut bench = Bench::in_progress(CHECKED);
    bench.release(A, B, true);
    assert!(bench.is_primary(B), "with the link up it is as ever");
}

/// A target that comes back as a primary says no, and that is an answer.
#[test]
fn an_error_still_ends_the_failover() {
    let mut bench = Bench::in_progress(AGAIN);
    bench.kill(B);
    bench.configure(B, None);
    bench.release(A, B, true);
    bench.start(B);
    bench.advance(Duration::millis(300));
    assert!(bench.is_primary(A) && bench.state(A) == FailoverState::NoFailover);
}

#[test]
fn no_version_says_an_epoch() {
    let mut bench = Bench::in_progress("none");
    let client = bench.capa(A);
    assert_eq!(epoch_of(bench.ask(client, GET)), (0, B));
}

/// The demoted node's redirects are newer than those of the target that does not know yet, and
/// the target's are newer still when it hands back.
#[test]
fn epochs_order_the_redirects_of_a_failover_and_of_one_back() {
    let mut bench = Bench::in_progress(EPOCHS);
    let (at_a, at_b) = (bench.capa(A), bench.capa(B));
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (2, B));
    assert_eq!(epoch_of(bench.ask(at_b, GET)), (1, A));
    bench.complete();
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (2, B));
    let admin = bench.connect(B);
    bench.advance(Duration::millis(1_100));
    bench.hold(B, A, true);
    let back = Command::Failover {
        to: Some(address(A)),
        force: false,
        timeout_ms: None,
    };
    assert_eq!(bench.ask(admin, back), Some(Reply::Ok));
    assert_eq!(bench.state(B), FailoverState::InProgress);
    assert_eq!(epoch_of(bench.ask(at_b, GET)), (3, A));
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (2, B));
}

/// An abort makes the node newer than all that it has said, and its replicas learn of it.
#[test]
fn an_abort_outdoes_what_was_said_before_it() {
    let mut bench = Bench::in_progress(EPOCHS);
    let (at_a, at_b) = (bench.capa(A), bench.capa(B));
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (2, B));
    let admin = bench.connect(A);
    bench.ask(admin, Command::FailoverAbort);
    bench.advance(Duration::millis(1_100));
    assert_eq!(epoch_of(bench.ask(at_b, GET)), (3, A));
}

/// By hand, the primary first: two replicas of each other, of which one knows more.
#[test]
fn replicaof_counts_too() {
    let mut bench = Bench::new(EPOCHS, 2);
    let (at_a, at_b) = (bench.capa(A), bench.capa(B));
    let admin = bench.connect(A);
    bench.ask(admin, Command::ReplicaOf(Some(address(B))));
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (2, B));
    assert_eq!(epoch_of(bench.ask(at_b, GET)), (1, A));
    let admin = bench.connect(B);
    bench.ask(admin, Command::ReplicaOf(None));
    bench.advance(Duration::secs(8));
    assert_eq!(bench.ask(at_b, GET), Some(Reply::Nil));
    assert_eq!(epoch_of(bench.ask(at_a, GET)).1, B);
}

/// Two primaries, of which the older in epochs is the one that stays: it learns the other's.
#[test]
fn a_primary_learns_the_epoch_of_who_joins_it() {
    let mut bench = reply_lost("none+epoch-redirect");
    assert!(
        bench.is_primary(A) && bench.is_primary(B),
        "A is at 3, B at 2"
    );
    let admin = bench.connect(A);
    bench.ask(admin, Command::ReplicaOf(Some(address(B))));
    let at_a = bench.capa(A);
    assert_eq!(epoch_of(bench.ask(at_a, GET)), (4, B));
    bench.advance(Duration::secs(8));
    let admin = bench.connect(B);
    bench.ask(admin, Command::ReplicaOf(Some(address(A))));
    let at_b = bench.capa(B);
    assert_eq!(epoch_of(bench.ask(at_b, GET)), (5, A), "newer than (4, B)");
}

#[test]
fn an_epoch_outlives_the_process_with_its_replication_id() {
    use rebound_sim::valkey::Persistence;
    for (persistence, epoch) in [(Persistence::Everything, 2), (Persistence::None, 1)] {
        let mut bench = Bench::with(EPOCHS, 2, |config| config.persistence = persistence);
        bench.failover(false, None);
        bench.advance(Duration::secs(2));
        assert!(bench.is_primary(B));
        bench.configure(A, Some(B));
        bench.kill(A);
        bench.refuse(B, true);
        bench.start(A);
        let at_a = bench.capa(A);
        assert_eq!(
            epoch_of(bench.ask(at_a, GET)),
            (epoch, B),
            "{persistence:?}"
        );
    }
}
