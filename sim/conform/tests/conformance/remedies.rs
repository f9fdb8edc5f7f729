//! What each remedy changes, and that it changes nothing else. No server has been seen to do any
//! of this: these are the rules as they are proposed.

use rebound_sim::engine::Duration;
use rebound_sim::valkey::{
    AddressBook, Command, Epoch, ErrorKind, FailoverState, LinkState, Redirect, Reply, Role,
};

use rebound_conform::lab::{A, B, C, Lab};

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
fn told(behaviour: &str, timeout_ms: Option<u32>) -> Lab {
    let mut lab = Lab::new(behaviour, 3);
    lab.hold(B, A, true);
    assert_eq!(lab.failover(false, timeout_ms), Some(Reply::Ok));
    assert_eq!(lab.state(A), FailoverState::WaitForSync);
    lab
}

#[test]
fn a_target_that_is_told_holds_until_it_is_promoted() {
    let mut lab = told(HOLDS, None);
    let (reader, writer, plain) = (lab.capa(B), lab.capa(B), lab.connect(B));
    let set = lab.set();
    assert_eq!(lab.ask(reader, GET), None);
    assert_eq!(lab.ask(writer, set), None);
    let read_only = Some(Reply::Error(ErrorKind::ReadOnly));
    assert_eq!(lab.ask(plain, set), read_only, "without the capability");
    let elsewhere = lab.capa(C);
    assert_eq!(redirected_to(lab.ask(elsewhere, GET)), A, "not the target");
    lab.release(B, A, true);
    assert!(lab.is_primary(B) && !lab.is_primary(A));
    assert_eq!(
        lab.reply(reader),
        Some(Reply::Nil),
        "in the order they came"
    );
    assert_eq!(lab.reply(writer), Some(Reply::Ok));
}

#[test]
fn without_the_remedy_the_target_redirects() {
    let mut lab = Lab::waiting("8.0.1", None);
    let client = lab.capa(B);
    assert_eq!(redirected_to(lab.ask(client, GET)), A);
}

#[test]
fn a_failover_that_is_off_lets_the_target_redirect_again() {
    let mut lab = told(HOLDS, None);
    let client = lab.capa(B);
    assert_eq!(lab.ask(client, GET), None);
    let admin = lab.connect(A);
    assert_eq!(lab.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
    assert_eq!(redirected_to(lab.reply(client)), A);

    let mut lab = told(HOLDS, Some(1_000));
    let client = lab.capa(B);
    assert_eq!(lab.ask(client, GET), None);
    lab.advance(Duration::millis(900));
    assert_eq!(lab.reply(client), None);
    lab.advance(Duration::millis(300));
    assert_eq!(lab.state(A), FailoverState::NoFailover);
    assert_eq!(redirected_to(lab.reply(client)), A);
    assert_eq!(redirected_to(lab.ask(client, GET)), A);
}

#[test]
fn a_target_that_loses_the_old_primary_or_follows_another_lets_go() {
    let mut lab = told(HOLDS, None);
    let client = lab.capa(B);
    assert_eq!(lab.ask(client, GET), None);
    lab.cut(B, A);
    assert_eq!(redirected_to(lab.reply(client)), A);

    let mut lab = told(HOLDS, None);
    let client = lab.capa(B);
    assert_eq!(lab.ask(client, GET), None);
    let admin = lab.connect(B);
    lab.ask(admin, Command::ReplicaOf(Some(address(C))));
    assert_eq!(redirected_to(lab.reply(client)), C);
}

/// An abort in `failover-in-progress` breaks the target's link, since the history changes.
#[test]
fn an_abort_after_the_demotion_lets_the_target_go_as_well() {
    let mut lab = Lab::in_progress(HOLDS);
    let client = lab.capa(B);
    assert_eq!(lab.ask(client, GET), None);
    let admin = lab.connect(A);
    lab.ask(admin, Command::FailoverAbort);
    assert!(lab.is_primary(A));
    assert_eq!(redirected_to(lab.reply(client)), A);
}

/// The entry is acknowledged at once, as GETACK is: the wait for a replica that lacks nothing
/// ends at once and not at its next acknowledgement.
#[test]
fn telling_the_target_shortens_the_wait() {
    for (behaviour, at_once) in [("8.0.1", false), (HOLDS, true)] {
        let mut lab = Lab::new(behaviour, 2);
        let client = lab.connect(A);
        let set = lab.set();
        assert_eq!(lab.ask(client, set), Some(Reply::Ok));
        assert_eq!(lab.failover(false, None), Some(Reply::Ok));
        assert_eq!(lab.is_primary(B), at_once, "{behaviour}");
        lab.advance(Duration::millis(1_100));
        assert!(lab.is_primary(B), "{behaviour}");
    }
}

#[test]
fn without_to_the_first_that_has_caught_up_is_told_and_must_acknowledge_that() {
    let mut lab = Lab::new(HOLDS, 3);
    let admin = lab.connect(A);
    lab.hold(B, A, true);
    lab.hold(C, A, true);
    let any = Command::Failover {
        to: None,
        force: false,
        timeout_ms: None,
    };
    assert_eq!(lab.ask(admin, any), Some(Reply::Ok));
    assert_eq!(lab.state(A), FailoverState::WaitForSync);
    let (at_b, at_c) = (lab.capa(B), lab.capa(C));
    assert_eq!(lab.ask(at_b, GET), None, "the first in the list");
    assert_eq!(redirected_to(lab.ask(at_c, GET)), A);
    // The chosen one is lost: the other is chosen in its place.
    lab.release(C, A, true);
    lab.kill(B);
    lab.advance(Duration::millis(1_500));
    assert!(lab.is_primary(C) && !lab.is_primary(A));
    assert_eq!(lab.state(A), FailoverState::NoFailover);
}

#[test]
fn a_primary_that_cannot_reach_the_target_stays_one_until_the_time_out() {
    let mut lab = Lab::new(CONNECTED, 2);
    lab.refuse(B, true);
    assert_eq!(lab.failover(false, Some(2_000)), Some(Reply::Ok));
    let (reader, writer) = (lab.capa(A), lab.connect(A));
    let set = lab.set();
    lab.advance(Duration::secs(1));
    assert!(lab.is_primary(A) && lab.state(A) == FailoverState::WaitForSync);
    assert_eq!(lab.ask(reader, GET), Some(Reply::Nil), "reads are served");
    assert_eq!(
        lab.ask(writer, set),
        None,
        "writes wait, READONLY to nobody"
    );
    lab.advance(Duration::millis(1_200));
    assert_eq!(lab.state(A), FailoverState::NoFailover);
    assert_eq!(lab.reply(writer), Some(Reply::Ok), "the time-out applies");
    lab.refuse(B, false);
    lab.advance(Duration::secs(2));
    assert!(lab.is_primary(A) && !lab.is_primary(B), "and it is over");
    // As it is in 8.0.1: demoted, without a time-out.
    let mut lab = Lab::new("8.0.1", 2);
    lab.refuse(B, true);
    lab.failover(false, Some(2_000));
    lab.advance(Duration::secs(5));
    assert_eq!(lab.state(A), FailoverState::InProgress);
}

#[test]
fn a_target_that_can_be_reached_again_is_dialled_within_100_ms() {
    let mut lab = Lab::new(CONNECTED, 2);
    lab.refuse(B, true);
    lab.failover(false, Some(10_000));
    lab.advance(Duration::secs(1));
    lab.refuse(B, false);
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(B) && !lab.is_primary(A));
    assert_eq!(lab.state(A), FailoverState::NoFailover);
}

#[test]
fn a_hand_over_connection_that_breaks_before_the_demotion_is_made_anew() {
    let mut lab = Lab::new(CONNECTED, 2);
    lab.hold(A, B, true);
    lab.failover(false, None);
    assert!(lab.is_primary(A) && lab.state(A) == FailoverState::WaitForSync);
    lab.cut(A, B);
    assert!(lab.is_primary(A) && lab.state(A) == FailoverState::WaitForSync);
    lab.release(A, B, true);
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(B) && lab.state(A) == FailoverState::NoFailover);
}

/// Without TIMEOUT every version sends a PING a second while it waits, and can miss the moment in
/// which the target has everything for ever.
#[test]
fn pings_stop_while_the_connection_is_awaited() {
    let grown = |behaviour: &str| {
        let mut lab = Lab::new(behaviour, 2);
        lab.hold(B, A, true);
        let client = lab.connect(A);
        let set = lab.set();
        assert_eq!(lab.ask(client, set), Some(Reply::Ok), "not acknowledged");
        lab.failover(false, None);
        assert_eq!(lab.state(A), FailoverState::WaitForSync);
        let before = lab.server(A).offset();
        lab.advance(Duration::secs(12));
        lab.server(A).offset() - before
    };
    assert!(grown("8.0.1") >= 10 * 14, "C10");
    assert_eq!(grown(CONNECTED), 0);
}

#[test]
fn an_abort_before_the_demotion_closes_the_hand_over_connection() {
    let mut lab = Lab::new(CONNECTED, 2);
    lab.hold(A, B, true);
    lab.failover(false, None);
    let admin = lab.connect(A);
    assert_eq!(lab.ask(admin, Command::FailoverAbort), Some(Reply::Ok));
    lab.release(A, B, true);
    lab.advance(Duration::secs(2));
    assert!(lab.is_primary(A) && !lab.is_primary(B));
    assert_eq!(lab.server(A).belief().link, LinkState::None);
    assert_eq!(lab.server(A).belief().role, Role::Primary);
    // Nothing is left over: the next failover succeeds.
    lab.failover(false, None);
    lab.advance(Duration::secs(2));
    assert!(lab.is_primary(B));
}

#[test]
fn force_does_not_ask_for_equality_but_for_a_connection() {
    let mut lab = Lab::new(CONNECTED, 2);
    lab.hold(B, A, false);
    let client = lab.connect(A);
    let set = lab.set();
    lab.ask(client, set);
    lab.refuse(B, true);
    assert_eq!(lab.failover(true, Some(500)), Some(Reply::Ok));
    lab.advance(Duration::secs(2));
    assert!(lab.is_primary(A), "there is nobody to hand over to");
    lab.refuse(B, false);
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(B) && !lab.is_primary(A));
}

/// A failover whose reply is lost with its connection.
fn reply_lost(behaviour: &str) -> Lab {
    let mut lab = Lab::new(behaviour, 2);
    lab.hold(A, B, false);
    lab.failover(false, None);
    for _ in 0..4 {
        // PING, the address, REPLCONF twice; then the reply to PSYNC stays behind.
        if lab.is_primary(B) {
            break;
        }
        lab.pass(A, B, false);
    }
    assert!(lab.is_primary(B));
    lab.cut(A, B);
    lab.release(A, B, false);
    lab
}

#[test]
fn a_lost_reply_is_asked_for_again() {
    let mut lab = reply_lost("8.0.1");
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(A) && lab.is_primary(B), "two primaries");

    let mut lab = reply_lost(AGAIN);
    assert!(!lab.is_primary(A));
    // What the new primary takes meanwhile reaches the old one.
    let client = lab.connect(B);
    let set = lab.set();
    assert_eq!(lab.ask(client, set), Some(Reply::Ok));
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(B) && !lab.is_primary(A));
    assert_eq!(lab.state(A), FailoverState::NoFailover);
    lab.advance(Duration::secs(1));
    assert_eq!(lab.server(A).offset(), lab.server(B).offset());
}

#[test]
fn only_who_was_promoted_by_the_same_history_answers_again() {
    let mut lab = reply_lost(AGAIN);
    let (_, before) = lab.server(B).replids();
    let psync = |replid| Command::Psync {
        replid,
        offset: 1.into(),
        failover: true,
        epoch: None,
    };
    let refused = Some(Reply::Error(ErrorKind::PsyncFailoverPrimary));
    let stranger = lab.connect(B);
    assert_eq!(lab.ask(stranger, psync(None)), refused);
    let (now, _) = lab.server(B).replids();
    assert_eq!(lab.ask(stranger, psync(Some(now))), refused);
    // Promoted by hand: replid2 is the same, but nobody has asked for it.
    let mut by_hand = Lab::new(AGAIN, 2);
    let admin = by_hand.connect(B);
    by_hand.ask(admin, Command::ReplicaOf(None));
    let (_, replid2) = by_hand.server(B).replids();
    assert_eq!(by_hand.ask(admin, psync(replid2)), refused);
    assert!(before.is_some() && replid2.is_some());
}

/// Nobody listens any more: the process that was asked is gone, and its promotion with it.
#[test]
fn a_refused_connection_after_an_unanswered_request_ends_the_failover() {
    let mut lab = reply_lost(AGAIN);
    lab.kill(B);
    lab.advance(Duration::millis(210));
    assert!(lab.is_primary(A) && lab.state(A) == FailoverState::NoFailover);

    // Before the request has been sent a refusal says nothing.
    let mut lab = Lab::in_progress(AGAIN);
    lab.kill(B);
    lab.advance(Duration::secs(2));
    assert_eq!(lab.state(A), FailoverState::InProgress);
}

/// A target whose link to the old primary is down when it is asked.
fn asked_without_a_link(behaviour: &str) -> Lab {
    let mut lab = Lab::in_progress(behaviour);
    lab.cut(B, A);
    lab.advance(Duration::millis(50));
    assert_ne!(lab.server(B).belief().link, LinkState::Up);
    lab.release(A, B, true);
    lab.advance(Duration::millis(50));
    lab
}

#[test]
fn a_checked_promotion_needs_the_link_to_the_old_primary() {
    let lab = asked_without_a_link("8.0.1");
    assert!(lab.is_primary(B), "nobody asks");
    let lab = asked_without_a_link(CHECKED);
    assert!(lab.is_primary(A) && !lab.is_primary(B));
    assert_eq!(lab.state(A), FailoverState::NoFailover);

    let mut lab = Lab::in_progress(CHECKED);
    lab.release(A, B, true);
    assert!(lab.is_primary(B), "with the link up it is as ever");
}

/// A target that comes back as a primary says no, and that is an answer.
#[test]
fn an_error_still_ends_the_failover() {
    let mut lab = Lab::in_progress(AGAIN);
    lab.kill(B);
    lab.configure(B, None);
    lab.release(A, B, true);
    lab.start(B);
    lab.advance(Duration::millis(300));
    assert!(lab.is_primary(A) && lab.state(A) == FailoverState::NoFailover);
}

#[test]
fn no_version_says_an_epoch() {
    let mut lab = Lab::in_progress("none");
    let client = lab.capa(A);
    assert_eq!(epoch_of(lab.ask(client, GET)), (0, B));
}

/// The demoted node's redirects are newer than those of the target that does not know yet, and
/// the target's are newer still when it hands back.
#[test]
fn epochs_order_the_redirects_of_a_failover_and_of_one_back() {
    let mut lab = Lab::in_progress(EPOCHS);
    let (at_a, at_b) = (lab.capa(A), lab.capa(B));
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (2, B));
    assert_eq!(epoch_of(lab.ask(at_b, GET)), (1, A));
    lab.complete();
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (2, B));
    let admin = lab.connect(B);
    lab.advance(Duration::millis(1_100));
    lab.hold(B, A, true);
    let back = Command::Failover {
        to: Some(address(A)),
        force: false,
        timeout_ms: None,
    };
    assert_eq!(lab.ask(admin, back), Some(Reply::Ok));
    assert_eq!(lab.state(B), FailoverState::InProgress);
    assert_eq!(epoch_of(lab.ask(at_b, GET)), (3, A));
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (2, B));
}

/// An abort makes the node newer than all that it has said, and its replicas learn of it.
#[test]
fn an_abort_outdoes_what_was_said_before_it() {
    let mut lab = Lab::in_progress(EPOCHS);
    let (at_a, at_b) = (lab.capa(A), lab.capa(B));
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (2, B));
    let admin = lab.connect(A);
    lab.ask(admin, Command::FailoverAbort);
    lab.advance(Duration::millis(1_100));
    assert_eq!(epoch_of(lab.ask(at_b, GET)), (3, A));
}

/// By hand, the primary first: two replicas of each other, of which one knows more.
#[test]
fn replicaof_counts_too() {
    let mut lab = Lab::new(EPOCHS, 2);
    let (at_a, at_b) = (lab.capa(A), lab.capa(B));
    let admin = lab.connect(A);
    lab.ask(admin, Command::ReplicaOf(Some(address(B))));
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (2, B));
    assert_eq!(epoch_of(lab.ask(at_b, GET)), (1, A));
    let admin = lab.connect(B);
    lab.ask(admin, Command::ReplicaOf(None));
    lab.advance(Duration::secs(8));
    assert_eq!(lab.ask(at_b, GET), Some(Reply::Nil));
    assert_eq!(epoch_of(lab.ask(at_a, GET)).1, B);
}

/// Two primaries, of which the older in epochs is the one that stays: it learns the other's.
#[test]
fn a_primary_learns_the_epoch_of_who_joins_it() {
    let mut lab = reply_lost("none+epoch-redirect");
    assert!(lab.is_primary(A) && lab.is_primary(B), "A is at 3, B at 2");
    let admin = lab.connect(A);
    lab.ask(admin, Command::ReplicaOf(Some(address(B))));
    let at_a = lab.capa(A);
    assert_eq!(epoch_of(lab.ask(at_a, GET)), (4, B));
    lab.advance(Duration::secs(8));
    let admin = lab.connect(B);
    lab.ask(admin, Command::ReplicaOf(Some(address(A))));
    let at_b = lab.capa(B);
    assert_eq!(epoch_of(lab.ask(at_b, GET)), (5, A), "newer than (4, B)");
}

#[test]
fn an_epoch_outlives_the_process_with_its_replication_id() {
    use rebound_sim::valkey::Persistence;
    for (persistence, epoch) in [(Persistence::Everything, 2), (Persistence::None, 1)] {
        let mut lab = Lab::with(EPOCHS, 2, |config| config.persistence = persistence);
        lab.failover(false, None);
        lab.advance(Duration::secs(2));
        assert!(lab.is_primary(B));
        lab.configure(A, Some(B));
        lab.kill(A);
        lab.refuse(B, true);
        lab.start(A);
        let at_a = lab.capa(A);
        assert_eq!(epoch_of(lab.ask(at_a, GET)), (epoch, B), "{persistence:?}");
    }
}
