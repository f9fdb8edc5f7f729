//! Redirects with epochs: what is followed, what is ignored, and for how long.

use super::*;
use crate::client::epochs::MOST_IGNORED;
use crate::client::{Epochs, Policy};
use crate::valkey::Epoch;

fn says(epoch: u32, to: Addr) -> Does {
    let mut said = Epoch::FIRST;
    for _ in 1..epoch {
        said = said.next();
    }
    Does::Reply(Reply::Redirect(Redirect {
        epoch: Some(said),
        ..Redirect::new(RedirectKind::Redirect, to, Belief::default())
    }))
}

/// A hand-over from `old` to `new` that lasts until `until`: the demoted node knows more.
fn hand_over(until: Time) -> impl FnMut(Addr, Command, Time) -> Does {
    move |addr, command, now| {
        let data = matches!(command, Command::Get(_) | Command::Set(..));
        match (data, addr) {
            (true, OLD) => says(2, NEW),
            (true, NEW) if now < until => says(1, OLD),
            _ => served(command),
        }
    }
}

fn ignored(rig: &Rig) -> Vec<Time> {
    let ignored = |(at, effect): &(Time, Effect)| {
        matches!(effect, Effect::Note(Note::Ignored { .. })).then_some(*at)
    };
    rig.log.iter().filter_map(ignored).collect()
}

#[test]
fn an_older_redirect_is_waited_out_at_the_node_that_says_it() {
    for name in [
        "warm",
        "valkey-go",
        "redisson",
        "valkey-java",
        "valkey-swift",
    ] {
        let mut rig = Rig::preset(name, sets(), 1);
        rig.run(ms(20_000), hand_over(ms(1_800)));
        let ended = rig.ended();
        assert_eq!(ended, [(CommandOutcome::Served, 1, 0)], "{name}");
        assert!(!ignored(&rig).is_empty(), "{name}");
    }
}

#[test]
fn the_wait_grows_to_half_a_second_and_has_jitter() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.run(ms(6_000), hand_over(ms(2_000)));
    let times = ignored(&rig);
    assert!((10..25).contains(&times.len()), "{times:?}");
    let mut gaps: Vec<Duration> = times.windows(2).map(|two| two[1].since(two[0])).collect();
    assert!(gaps.iter().all(|gap| *gap <= Duration::millis(501) + RTT));
    assert!(gaps[0] < Duration::millis(6) && gaps.iter().max() > Some(&Duration::millis(100)));
    let mut late = gaps.split_off(9);
    late.dedup();
    assert!(late.len() > 1, "not always the same");
}

#[test]
fn a_library_that_does_not_know_epochs_goes_back_and_forth() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.spec.policy.epochs = Epochs::Ignore;
    rig.run(ms(100), hand_over(ms(20)));
    let (outcome, hops, bounces) = rig.ended()[0];
    assert_eq!(outcome, CommandOutcome::Served);
    assert!(hops > 10 && bounces > 9, "{hops}, {bounces}");
    assert!(ignored(&rig).is_empty());
}

/// The same number with another address is no news; with the same address it is what is known.
#[test]
fn equal_epochs_agree_or_are_ignored() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.run(ms(500), |addr, command, now| match (command, addr) {
        (Command::Set(..), OLD) => says(2, NEW),
        (Command::Set(..), _) if now < ms(100) => says(2, OLD),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0)]);
    let mut rig = Rig::new(policy("valkey-go").expect("known"), busy(10, sets(), 10));
    rig.run(ms(100), hand_over(ms(0)));
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0); 10]);
}

/// A newer redirect is followed, wherever it leads: back, if the failover was aborted.
#[test]
fn a_newer_redirect_leads_back() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.run(ms(1_000), |addr, command, now| match (command, addr) {
        (Command::Set(..), OLD) if now < ms(50) => says(2, NEW),
        (Command::Set(..), NEW) if now < ms(50) => says(1, OLD),
        (Command::Set(..), NEW) => says(3, OLD),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 2, 1)]);
}

/// Epochs that no node knows any more do not hold a client for ever, and are forgotten.
#[test]
fn after_many_in_a_row_one_is_followed_all_the_same() {
    let mut rig = Rig::preset("warm", sets(), 2);
    rig.run(ms(60_000), |addr, command, now| match (command, addr) {
        (Command::Set(..), OLD) if now < ms(5) => says(9, NEW),
        (Command::Set(..), NEW) => says(1, OLD),
        _ => served(command),
    });
    assert_eq!(ignored(&rig).len(), MOST_IGNORED as usize);
    let ended = rig.ended();
    assert_eq!(ended[0], (CommandOutcome::Served, 2, 1));
    assert_eq!(ended[1], (CommandOutcome::Served, 0, 0));
}

/// The deadline of redirects ends ignoring too.
#[test]
fn the_redirect_deadline_applies() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.spec.policy = Policy {
        redirect_deadline: Some(Duration::millis(200)),
        ..rig.spec.policy.clone()
    };
    rig.run(ms(5_000), hand_over(ms(4_000)));
    assert_eq!(rig.ended()[0].0, CommandOutcome::Redirect);
}
