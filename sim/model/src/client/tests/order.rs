//! Pipelines, transactions, blocking commands, time-outs, reconnecting, the end of a run.

use super::super::note::{Note, WriteRange};
use super::*;
use crate::valkey::Tag;

fn ended_writes(rig: &Rig) -> Vec<WriteRange> {
    let writes = |(_, effect): &(Time, Effect)| match effect {
        Effect::Note(Note::Ended { writes, .. }) => Some(*writes),
        _ => None,
    };
    rig.log.iter().filter_map(writes).collect()
}

/// A pipeline of four SETs; the second and third are redirected the first time.
fn pipeline(batch: Batch) -> Rig {
    let mut policy = policy("warm").expect("known");
    policy.batch = batch;
    let mut workload = busy(1, sets(), 4);
    workload.pipeline = 4;
    let mut rig = Rig::new(policy, workload);
    let mut seen = 0;
    rig.run(ms(100), |addr, command, _| match command {
        Command::Set(..) if addr == OLD => {
            seen += 1;
            if seen == 2 || seen == 3 {
                redirect(NEW)
            } else {
                served(command)
            }
        }
        _ => served(command),
    });
    rig
}

#[test]
fn pipelines_are_sent_again_in_part_or_as_a_whole() {
    for (batch, resent) in [(Batch::Each, 2), (Batch::FromFirst, 3), (Batch::Whole, 4)] {
        let rig = pipeline(batch);
        assert_eq!(rig.count(CommandKind::Set), 4 + resent, "{batch:?}");
        let mut hops: Vec<u32> = rig.ended().iter().map(|ended| ended.1).collect();
        hops.sort_unstable();
        assert_eq!(hops, [0, 0, 1, 1]);
        assert!(rig.ended().iter().all(|e| e.0 == CommandOutcome::Served));
    }
}

fn transactions() -> Mix {
    Mix {
        multi: 1,
        ..Mix::default()
    }
}

#[test]
fn a_transaction_is_one_command_with_writes_in_a_row() {
    let mut workload = busy(1, transactions(), 2);
    workload.transaction_size = 3;
    let mut rig = Rig::new(policy("warm").expect("known"), workload);
    rig.run(ms(100), |_, command, _| served(command));
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0); 2]);
    let range = |first| WriteRange {
        first: WriteId(first),
        count: 2,
    };
    assert_eq!(ended_writes(&rig), [range(0), range(2)]);
    assert_eq!(rig.count(CommandKind::Exec), 2);
    assert_eq!(rig.count(CommandKind::Set), 4);
}

/// Release candidate 1: what is redirected inside MULTI is dropped and EXEC gives an empty
/// array.
fn rc1(addr: Addr, command: Command, _: Time) -> Does {
    match command {
        Command::Set(..) | Command::Get(_) if addr == OLD => redirect(NEW),
        Command::Exec if addr == OLD => Does::Reply(Reply::Array(0)),
        _ => served(command),
    }
}

#[test]
fn an_empty_exec_is_taken_for_success_only_by_those_who_do_not_look() {
    let mut rig = Rig::preset("warm", transactions(), 1);
    rig.run(ms(100), rc1);
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0)]);
    assert_eq!(rig.client.primary(), OLD);
    let mut rig = Rig::preset("valkey-go", transactions(), 1);
    rig.run(ms(100), rc1);
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0)]);
    assert_eq!(rig.count(CommandKind::Exec), 2);
    let mut rig = Rig::preset("valkey-java", transactions(), 1);
    rig.spec.policy.batch = Batch::Whole;
    rig.run(ms(100), rc1);
    assert_eq!(rig.ended(), [(CommandOutcome::Redirect, 0, 0)]);
}

#[test]
fn an_aborted_exec_is_run_again_if_something_was_redirected() {
    let serve = |redirects: bool| {
        move |addr: Addr, command: Command, _: Time| match command {
            Command::Set(..) if addr == OLD && redirects => redirect(NEW),
            Command::Exec if addr == OLD => error(ErrorKind::ExecAbort),
            _ => served(command),
        }
    };
    let mut rig = Rig::preset("warm", transactions(), 1);
    rig.run(ms(100), serve(true));
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0)]);
    let mut rig = Rig::preset("warm", transactions(), 1);
    rig.run(ms(100), serve(false));
    let aborted = CommandOutcome::Error(ErrorKind::ExecAbort);
    assert_eq!(rig.ended(), [(aborted, 0, 0)]);
}

#[test]
fn a_redirected_exec_leaves_a_connection_to_be_cleaned() {
    let mut rig = Rig::preset("redisson", transactions(), 2);
    rig.run(ms(100), |addr, command, _| match command {
        Command::Exec if addr == OLD => redirect(NEW),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 1, 0); 2]);
    let sends = rig.sends();
    let discard = sends
        .iter()
        .position(|(_, c)| *c == Command::Discard)
        .expect("cleaned");
    assert_eq!(sends[discard + 1].1, Command::Multi);
    assert_eq!(rig.count(CommandKind::Discard), 1);
}

#[test]
fn nothing_gets_into_a_transaction() {
    let mix = Mix {
        multi: 1,
        set: 1,
        ..Mix::default()
    };
    let mut rig = Rig::new(policy("no-capa").expect("known"), busy(8, mix, 200));
    rig.run(ms(2_000), |_, command, _| served(command));
    assert_eq!(rig.ended().len(), 200);
    // After MULTI come its two commands and EXEC, and nothing more until EXEC is answered.
    let (mut inside, mut until) = (0, Time::ZERO);
    for (at, effect) in &rig.log {
        let Effect::Send(_, request) = effect else {
            continue;
        };
        if inside > 0 {
            inside -= 1;
            assert_eq!(request.command == Command::Exec, inside == 0);
            until = *at + RTT;
        } else {
            assert!(*at >= until);
            inside = if request.command == Command::Multi {
                3
            } else {
                0
            };
        }
    }
    assert_eq!(rig.dials().len(), 1);
}

#[test]
fn a_time_out_is_resent_on_a_new_connection() {
    let mut rig = Rig::preset("redisson", sets(), 1);
    rig.spec.policy.timeout_resends = 2;
    rig.run(ms(20_000), |_, command, _| match command {
        Command::Set(..) => Does::Silence,
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::TimedOut, 0, 0)]);
    let writes: Vec<_> = rig.sends().iter().filter_map(|(_, c)| c.write()).collect();
    assert_eq!(writes, [WriteId(0); 3], "the same write each time");
    assert_eq!(rig.dials().len(), 2 + 2);
    assert_eq!(rig.closes().len(), 3);
}

#[test]
fn a_lost_connection_is_dialled_again() {
    for (resends, outcome) in [
        (1, CommandOutcome::Served),
        (0, CommandOutcome::Disconnected),
    ] {
        let mut rig = Rig::preset("warm", sets(), 1);
        rig.spec.policy.timeout_resends = resends;
        let mut first = true;
        rig.run(ms(100), |_, command, _| match command {
            Command::Set(..) if std::mem::take(&mut first) => Does::Hangs,
            _ => served(command),
        });
        assert_eq!(rig.ended(), [(outcome, 0, 0)]);
    }
}

#[test]
fn an_address_that_refuses_is_given_up_after_some_attempts() {
    let mut rig = Rig::preset("go-redis", sets(), 1);
    rig.down = vec![OLD];
    rig.run(ms(5_000), |_, command, _| served(command));
    assert_eq!(rig.ended(), [(CommandOutcome::Unreachable, 0, 0)]);
    assert_eq!(rig.dials().len(), 4);
}

#[test]
fn a_redirect_to_nowhere_is_no_bounce() {
    let mut rig = Rig::preset("warm", sets(), 1);
    rig.down = vec![Addr(2)];
    rig.run(ms(1_000), |addr, command, _| match command {
        Command::Set(..) if addr == OLD => redirect(Addr(2)),
        _ => served(command),
    });
    assert!(rig.ended().is_empty());
    let pending = rig.client.oldest_open().expect("open");
    let reason = pending.reason(rig.now, &rig.addresses);
    assert!(reason.starts_with("cannot connect to nowhere"), "{reason}");
    assert_eq!(rig.client.primary(), Addr(2));
}

#[test]
fn a_node_that_names_itself_sends_back() {
    let mut rig = Rig::preset("cap-3", sets(), 1);
    rig.run(ms(100), |addr, command, _| match command {
        Command::Set(..) => redirect(addr),
        _ => served(command),
    });
    assert_eq!(rig.ended(), [(CommandOutcome::Redirect, 3, 3)]);
}

#[test]
fn a_blocking_pop_has_its_own_connection_and_ends_with_the_run() {
    let mix = Mix {
        blpop: 1,
        ..Mix::default()
    };
    let mut rig = Rig::preset("warm", mix, 1);
    let silent = |_: Addr, command: Command, _: Time| match command {
        Command::BlPop { .. } => Does::Silence,
        _ => served(command),
    };
    rig.run(ms(600_000), silent);
    assert_eq!(rig.dials().len(), 3);
    assert_eq!(rig.client.open_commands(), 1);
    rig.schedule(ms(600_000), None, Input::Drain);
    rig.run(ms(600_001), silent);
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0)]);
    assert_eq!(rig.closes(), [ms(600_000)]);
    assert_eq!(rig.client.open_commands(), 0);

    let mut rig = Rig::preset("no-capa", mix, 1);
    rig.spec.workload.blpop_timeout = Duration::secs(1);
    rig.spec.policy.timeout_resends = 0;
    rig.run(ms(60_000), silent);
    assert_eq!(rig.ended(), [(CommandOutcome::TimedOut, 0, 0)]);
    assert_eq!(rig.closes(), [ms(1 + 1_000 + 5_000)]);
}

#[test]
fn subscriptions_ignore_what_is_published() {
    let mix = Mix {
        subscribe: 1,
        ..Mix::default()
    };
    let mut rig = Rig::preset("no-capa", mix, 1);
    rig.run(ms(10), |_, command, _| served(command));
    rig.input(Input::Reply(ConnSlot(0), Tag::PUSHED, Reply::Published));
    assert_eq!(rig.ended(), [(CommandOutcome::Served, 0, 0)]);
}

#[test]
fn nothing_is_issued_after_the_drain() {
    for pace in [
        Pace::Closed {
            workers: 3,
            think: Duration::millis(1),
        },
        Pace::Open {
            every: Duration::millis(1),
            max_open: 2,
        },
    ] {
        let mut workload = busy(1, sets(), 1_000_000);
        workload.pace = pace;
        let mut rig = Rig::new(policy("warm").expect("known"), workload);
        rig.schedule(ms(100), None, Input::Drain);
        rig.run(ms(50), |_, command, _| served(command));
        assert!(rig.client.issued > 20, "{}", rig.client.issued);
        rig.run(ms(1_000_000), |_, command, _| served(command));
        assert_eq!(rig.client.open_commands(), 0);
        assert!(rig.sends().last().expect("some").0 <= ms(101));
        assert_eq!(rig.ended().len() as u64, rig.client.issued);
    }
}
