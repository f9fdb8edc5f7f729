//! Whatever servers and networks do, every command ends exactly once, and the same inputs give
//! the same effects.

use super::*;
use proptest::prelude::*;

fn workload(pick: u8, policy: &Policy) -> Workload {
    // Messages of publishers travel over the bus, which cluster clients do not see.
    let channels = u32::from(policy.cluster.is_none());
    let all = Mix {
        get: 3,
        set: 3,
        incr: 1,
        del: 1,
        mget: 1,
        multi: 2,
        blpop: 1,
        lpush: 1,
        subscribe: channels,
        publish: channels,
        ping: 1,
        eval: 1,
        eval_set: 1,
    };
    let mut workload = busy(4, all, 200);
    workload.blpop_timeout = Duration::millis(200);
    workload.connections = 2;
    match pick {
        0 => {}
        1 => {
            workload.mix = Mix {
                get: 1,
                set: 2,
                ..Mix::default()
            };
            workload.pipeline = 5;
        }
        _ => {
            workload.pace = Pace::Open {
                every: Duration::millis(1),
                max_open: 6,
            };
        }
    }
    workload
}

/// Servers that answer as the next number of `dice` says, and behave once those run out.
fn whim(dice: &[u8], cluster: bool) -> impl FnMut(Addr, Command, Time) -> Does + '_ {
    let mut dice = dice.iter();
    let redirect = move |to| match cluster {
        false => redirect(to),
        true => cluster::moved(5, to),
    };
    move |addr, command, _| {
        let roll = dice.next().copied().unwrap_or(255);
        match (roll, command) {
            (0..60, Command::Get(_) | Command::Set(..) | Command::Exec | Command::BlPop { .. }) => {
                redirect(other(addr))
            }
            (50..60, Command::Del(..)) if cluster => cluster::ask(7, other(addr)),
            (50..60, Command::MGet(..)) if cluster => error(ErrorKind::TryAgain),
            (50..60, Command::Incr(..)) if cluster => error(ErrorKind::ClusterDown),
            (60..65, _) => Does::Hangs,
            (65..70, _) => Does::Silence,
            (70..80, Command::Set(..) | Command::Exec) => error(ErrorKind::ReadOnly),
            (80..85, Command::BlPop { .. }) => error(ErrorKind::Unblocked),
            (85..90, _) => error(ErrorKind::Loading),
            (90..95, Command::Exec) => error(ErrorKind::ExecAbort),
            (95..100, Command::Role) => Does::Reply(role(Role::Replica, Some(other(addr)))),
            (100..102, Command::Get(_)) => redirect(Addr(2)),
            _ => served(command),
        }
    }
}

fn live(preset: usize, pick: u8, dice: &[u8]) -> Rig {
    let preset = &PRESETS[preset % PRESETS.len()];
    let policy = preset.policy();
    let workload = workload(pick, &policy);
    let mut serve = whim(dice, policy.cluster.is_some());
    let mut rig = Rig::new(policy, workload);
    rig.down = vec![Addr(2)];
    rig.run(ms(2_000), &mut serve);
    // The address that nobody listened at is given to somebody, so that all can end.
    rig.down.clear();
    rig.run(ms(4_000_000), &mut serve);
    rig.schedule(rig.now, None, Input::Drain);
    rig.run(Time(u64::MAX / 2), &mut serve);
    rig
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_command_ends_exactly_once(
        preset in 0usize..64, pick in 0u8..3, dice in prop::collection::vec(any::<u8>(), 0..600)
    ) {
        let rig = live(preset, pick, &dice);
        let mut open = std::collections::BTreeSet::new();
        for (_, effect) in &rig.log {
            match effect {
                Effect::Note(Note::Issued { command, .. }) => {
                    prop_assert!(open.insert(*command));
                }
                Effect::Note(Note::Ended { command, hops, bounces, .. }) => {
                    prop_assert!(open.remove(command));
                    prop_assert!(bounces <= hops);
                }
                _ => {}
            }
        }
        prop_assert!(open.is_empty(), "{:?}", rig.client.oldest_open());
        prop_assert_eq!(rig.client.open_commands(), 0);
        prop_assert_eq!(rig.client.issued, 200);
        prop_assert_eq!(rig.client.oldest_open(), None);
    }

    #[test]
    fn the_same_inputs_give_the_same_effects(
        preset in 0usize..64, pick in 0u8..3, dice in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        prop_assert_eq!(live(preset, pick, &dice).log, live(preset, pick, &dice).log);
    }
}

#[test]
fn a_reset_client_is_as_good_as_new() {
    let dice: Vec<u8> = (0..200).map(|n| (n * 37 % 251) as u8).collect();
    for (preset, named) in PRESETS.iter().enumerate() {
        let first = live(preset, 0, &dice);
        let policy = named.policy();
        let workload = workload(0, &policy);
        let mut serve = whim(&dice, policy.cluster.is_some());
        let mut again = Rig::new(policy, workload);
        again.client = first.client;
        again.client.reset(NodeId(0));
        again.down = vec![Addr(2)];
        again.run(ms(2_000), &mut serve);
        let expected: Vec<_> = first
            .log
            .iter()
            .filter(|(at, _)| *at <= ms(2_000))
            .collect();
        assert_eq!(again.log.iter().collect::<Vec<_>>(), expected);
    }
}
