//! Histories with and without an order, also against the tester of the `stateright` crate.

use proptest::prelude::*;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::search::judge_within;
use super::*;
use crate::check::Checks;
use crate::check::testing::{plan, read, write};
use crate::client::ClientId;
use crate::valkey::{CommandKind, WriteId};
use rebound_engine::Duration;

const ON: &str = r#"{"linearizability": {"enabled": true}}"#;

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::millis(millis)
}

fn operation(from: u64, until: Option<u64>, action: Action) -> Operation {
    Operation {
        key: 5,
        invoked: at(from),
        returned: until.map_or(Time::NEVER, at),
        action,
    }
}

fn set(write: u32, from: u64, until: u64) -> Operation {
    operation(from, Some(until), Action::Write(WriteId(write)))
}

fn get(value: Option<u32>, from: u64, until: u64) -> Operation {
    let value = value.map_or(Value::Absent, |write| Value::Text(WriteId(write)));
    operation(from, Some(until), Action::Read(value))
}

fn verdict(history: &[Operation]) -> Verdict {
    let prepared: Vec<Operation> = prepare(history).into_iter().map(|(_, one)| one).collect();
    judge(&prepared)
}

#[test]
fn reads_of_one_register_have_an_order() {
    let history = [
        get(None, 0, 5),
        set(0, 10, 20),
        get(None, 11, 12),
        get(Some(0), 13, 14),
        get(Some(0), 30, 31),
        operation(40, Some(50), Action::Remove),
        get(None, 51, 52),
    ];
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

#[test]
fn what_was_overwritten_cannot_be_read_again() {
    let mut history = vec![set(0, 0, 10), set(1, 20, 30), get(Some(0), 40, 41)];
    assert_eq!(verdict(&history), Verdict::Impossible);
    // While the second write is under way, both may be read, but not the old one after the new.
    history[2] = get(Some(0), 25, 41);
    assert_eq!(verdict(&history), Verdict::Linearizable);
    let back = [
        set(0, 0, 10),
        set(1, 20, 60),
        get(Some(1), 30, 31),
        get(Some(0), 40, 41),
    ];
    assert_eq!(verdict(&back), Verdict::Impossible);
}

#[test]
fn a_write_of_unknown_outcome_takes_effect_at_any_time_or_never() {
    let unknown = operation(0, None, Action::Write(WriteId(0)));
    for read in [get(None, 100, 101), get(Some(0), 100, 101)] {
        assert_eq!(verdict(&[unknown, read]), Verdict::Linearizable);
    }
    let gone_again = [unknown, get(Some(0), 10, 11), get(None, 20, 21)];
    assert_eq!(verdict(&gone_again), Verdict::Impossible);
    let removal = operation(0, None, Action::Remove);
    let twice = [
        set(1, 1, 2),
        removal,
        get(None, 10, 11),
        set(2, 20, 21),
        get(None, 30, 31),
    ];
    assert_eq!(verdict(&twice), Verdict::Impossible);
    assert_eq!(verdict(&twice[..4]), Verdict::Linearizable);
}

#[test]
fn a_counter_goes_up_by_one() {
    let incr = |told, from, until| operation(from, Some(until), Action::Increment(Some(told)));
    let lost = operation(5, None, Action::Increment(None));
    assert_eq!(
        verdict(&[incr(1, 0, 9), lost, incr(3, 10, 19)]),
        Verdict::Linearizable
    );
    assert_eq!(
        verdict(&[incr(1, 0, 9), incr(3, 10, 19)]),
        Verdict::Impossible
    );
    assert_eq!(
        verdict(&[incr(2, 0, 9), incr(1, 5, 19)]),
        Verdict::Linearizable
    );
    assert_eq!(
        verdict(&[incr(1, 0, 9), incr(1, 10, 19)]),
        Verdict::Impossible
    );
}

#[test]
fn what_nobody_wrote_cannot_be_read() {
    assert_eq!(verdict(&[get(Some(7), 0, 1)]), Verdict::Impossible);
}

#[test]
fn many_writes_at_one_time_are_no_trouble() {
    let mut history: Vec<Operation> = (0..100).map(|write| set(write, 0, 100)).collect();
    history.extend((0..50).map(|read| get(Some(read * 2), 200 + u64::from(read), 300)));
    assert_eq!(verdict(&history[..101]), Verdict::Linearizable);
    assert_eq!(verdict(&history), Verdict::Impossible);
}

#[test]
fn what_is_too_much_is_not_decided() {
    let many: Vec<Operation> = (0..129).map(|write| set(write, 0, 100)).collect();
    assert_eq!(verdict(&many), Verdict::TooManyOpen(129));
    let late = [
        set(0, 0, 100),
        set(1, 0, 100),
        get(Some(0), 50, 60),
        get(Some(1), 70, 80),
        get(Some(0), 90, 95),
    ];
    assert!(matches!(judge_within(&late, 1), Verdict::TooLong(_)));
    assert_eq!(judge(&late), Verdict::Impossible);
}

/// The register as `stateright` has it.
#[derive(Clone, Debug)]
struct Register(Option<u32>);

#[derive(Clone, Debug)]
enum Does {
    Read,
    Write(u32),
    Remove,
}

impl SequentialSpec for Register {
    type Op = Does;
    /// What a read is told.
    type Ret = Option<Option<u32>>;

    fn invoke(&mut self, does: &Does) -> Self::Ret {
        match does {
            Does::Read => return Some(self.0),
            Does::Write(write) => self.0 = Some(*write),
            Does::Remove => self.0 = None,
        }
        None
    }
}

/// What `stateright` says of a history: each operation is a thread of its own.
fn reference(history: &[Operation]) -> bool {
    let mut moments: Vec<(Time, bool, usize)> = Vec::new();
    for (index, one) in history.iter().enumerate() {
        moments.push((one.invoked, false, index));
        if one.returned < Time::NEVER {
            moments.push((one.returned, true, index));
        }
    }
    moments.sort_unstable();
    let mut tester = LinearizabilityTester::new(Register(None));
    for (_, ends, index) in moments {
        let (does, told) = match history[index].action {
            Action::Read(Value::Text(write)) => (Does::Read, Some(Some(write.0))),
            Action::Read(_) => (Does::Read, Some(None)),
            Action::Write(write) => (Does::Write(write.0), None),
            Action::Remove => (Does::Remove, None),
            Action::Increment(_) => unreachable!("not generated"),
        };
        if ends {
            tester.on_return(index, told).expect("begun");
        } else {
            tester.on_invoke(index, does).expect("new");
        }
    }
    tester.is_consistent()
}

/// An operation before it is known what it is told: what it does, when it begins, takes effect
/// and ends, and whether its outcome is known.
type Draft = (u8, u64, u64, u64, bool);

fn drafts(most: usize) -> impl Strategy<Value = Vec<Draft>> {
    let draft = (
        0..6_u8,
        0..40_u64,
        0..12_u64,
        0..12_u64,
        prop::bool::weighted(0.85),
    );
    prop::collection::vec(draft, 1..most)
}

/// What a register makes of drafts: a history that has an order.
fn carried_out(drafts: &[Draft]) -> Vec<Operation> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|index| (drafts[*index].1 + drafts[*index].2, *index));
    let mut register = Value::Absent;
    let mut history = vec![None; drafts.len()];
    for index in order {
        let (kind, from, effect, rest, known) = drafts[index];
        let action = match kind {
            0..3 => Action::Read(register),
            3 | 4 => Action::Write(WriteId(index as u32)),
            _ => Action::Remove,
        };
        match action {
            Action::Write(write) => register = Value::Text(write),
            Action::Remove => register = Value::Absent,
            Action::Read(_) | Action::Increment(_) => {}
        }
        let known = known || matches!(action, Action::Read(_));
        let until = known.then_some(from + effect + rest);
        history[index] = Some(operation(from, until, action));
    }
    history.into_iter().flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_one_register_did_has_an_order(drafts in drafts(60)) {
        prop_assert_eq!(verdict(&carried_out(&drafts)), Verdict::Linearizable);
    }

    /// With reads told something else, as often wrong as right: the same verdict as the tester
    /// that tries every order.
    #[test]
    fn the_verdict_is_that_of_trying_every_order(
        drafts in drafts(8),
        lies in prop::collection::vec((0..8_usize, 0..9_usize), 0..3),
    ) {
        let mut history = carried_out(&drafts);
        for (index, told) in lies {
            let written = match history.get(told).map(|one| one.action) {
                Some(Action::Write(write)) => Value::Text(write),
                _ => Value::Absent,
            };
            if let Some(Operation { action: Action::Read(value), .. }) = history.get_mut(index) {
                *value = written;
            }
        }
        let ours = match verdict(&history) {
            Verdict::Linearizable => true,
            Verdict::Impossible => false,
            Verdict::TooManyOpen(_) | Verdict::TooLong(_) => {
                return Err(TestCaseError::fail("not decided"));
            }
        };
        prop_assert_eq!(ours, reference(&history));
    }
}

/// What the check finds of SETs of key 5 and of GETs, which are told what a SET wrote.
fn found(checks: &str, sets: &[(u64, u64)], gets: &[(u32, u64, u64)]) -> Vec<Found> {
    let mut checks = Checks::new(&plan(checks), |check| check == CheckId::Linearizability);
    let mut events = Vec::new();
    for (number, (from, until)) in sets.iter().enumerate() {
        let until = Some(at(*until));
        events.extend(write(CommandKind::Set, number as u32, 5, at(*from), until));
    }
    for (told, from, until) in gets {
        let value = Value::Text(WriteId(*told));
        events.push((at(*until), read(5, value, at(*from), at(*until))));
    }
    events.sort_by_key(|(at, _)| *at);
    for (at, event) in events {
        checks.observe(at, &event);
    }
    let ending = Ending {
        at: at(1_000),
        healed_at: at(0),
        nodes: Vec::new(),
        unfinished: Vec::new(),
    };
    checks.end(&ending);
    checks.take_found()
}

#[test]
fn a_finding_names_the_few_operations_that_show_it() {
    let sets = [(0, 10), (20, 30), (40, 50), (60, 70)];
    let gets = [(0, 11, 12), (1, 31, 32), (1, 51, 52), (3, 80, 81)];
    let found = found(ON, &sets, &gets);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].check, found[0].at),
        (CheckId::Linearizability, at(52))
    );
    assert_eq!(
        found[0].why,
        "No order of the operations on key 5 explains the replies: the 5 before this one have an order, \
         but with this one there is none. 3 of them show it: \
         SET #1 of app/0 (0.020000s to 0.030000s, at old); \
         SET #2 of app/0 (0.040000s to 0.050000s, at old); \
         GET #99 of app/0 (0.051000s to 0.052000s, at old) returned what SET #1 of app/0 wrote."
    );
}

#[test]
fn removals_long_written_over_are_not_told() {
    let mut all: Vec<Operation> = (0..10)
        .map(|n| operation(n * 10, Some(n * 10 + 5), Action::Remove))
        .collect();
    all.extend([set(0, 200, 210), get(None, 220, 230)]);
    let whose = Whose {
        command: (ClientId(0), 0, CommandKind::Get),
        from: None,
    };
    let (last, why) = explain::in_words(&plan(ON), &all, |_| &whose);
    assert_eq!(last, 11);
    assert!(
        why.contains("the 11 before this one have an order"),
        "{why}"
    );
    assert!(why.contains(" 2 of them show it"), "{why}");
}

#[test]
fn a_history_with_an_order_is_no_finding() {
    assert_eq!(
        found(ON, &[(0, 10), (20, 30)], &[(0, 25, 26), (1, 27, 40)]),
        []
    );
}

#[test]
fn it_is_off_unless_turned_on() {
    assert_eq!(found("{}", &[(0, 10), (20, 30)], &[(0, 40, 41)]), []);
}

#[test]
fn a_key_that_is_not_decided_is_counted() {
    let sets: Vec<(u64, u64)> = (0..129).map(|_| (0, 10)).collect();
    let found = found(ON, &sets, &[]);
    assert_eq!((found.len(), found[0].check), (1, CheckId::BudgetExceeded));
    assert_eq!(
        found[0].why,
        "linearizability is not decided for key 5: 129 operations on it were open at once, and the \
         limit is 128."
    );
}
