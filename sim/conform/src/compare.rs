//! What is compared: a recording with what the model made of its script.
//!
//! Orders and kinds are compared, not milliseconds. Where the recording cannot say on which side
//! of a phase's edge something was, either is right: the model is run with its clients somewhat
//! earlier and later ([`SHIFTS`]), and what one of these runs gives is what the model does.

mod commands;
mod ending;
mod handshakes;
mod operator;
mod phases;
mod probes;
mod states;

use super::agreement::{Difference, Observation, Outcome};
use super::clients::Clients;
use super::error::RecordingError;
use super::evidence::Evidence;
use super::members::Members;
use super::milestones::{self, Milestone};
use super::recording::{Event, Line};
use super::replay::{Pace, Plan, Played, Shift, play};
use super::script::{Act, Script};
use super::time_map::TimeMap;
use super::words::Words;
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::Behaviour;

/// How often the model is run at most to find out when its phases are.
const PASSES: usize = 3;

/// By how many tenths of a millisecond clients are moved, one after the other, as far as the
/// recorder may have been late.
const SHIFTS: [i64; 20] = [
    0, 5, -5, 10, 15, -10, 20, 30, -20, 40, 50, 60, -30, 80, 100, 120, 150, -60, 200, -120,
];

/// Recorded clients are at least so inexact.
const LEAST_LAG: Duration = Duration::millis(5);

/// The model's side: one run, and which of its instants are which of the recording's.
struct Run {
    played: Played,
    time_map: TimeMap,
}

/// Both sides.
struct Sides<'a> {
    recording: &'a [Line],
    plan: &'a Plan,
    milestones: Vec<Milestone>,
    /// Whether clients' commands have been left out of the recording, so that keys may lack a
    /// value.
    thinned: bool,
    /// The model with its clients at their times.
    run: Run,
}

/// Compares a recording with the model.
pub(super) fn observe(
    recording: &[Line],
    behaviour: &'static Behaviour,
) -> Result<Vec<Observation>, RecordingError> {
    let plan = plan(recording, behaviour)?;
    let begin = plan.script.begin().map_or(Time::ZERO, |(at, _)| at);
    let mut milestones = milestones::recorded(recording, &plan.members);
    milestones.retain(|milestone| milestone.at >= begin);
    let mut time_map = TimeMap::default();
    let mut run = run(&plan, &milestones, &time_map, Shift::default());
    for _ in 1..PASSES {
        if run.time_map.farthest(&time_map) < Duration::micros(200) {
            break;
        }
        time_map = run.time_map.clone();
        run = self::run(&plan, &milestones, &time_map, Shift::default());
    }
    let time_map = run.time_map.clone();
    let sides = Sides {
        recording,
        plan: &plan,
        milestones,
        thinned: recording.iter().any(is_thinned),
        run,
    };
    let mut crowd = (commands::Open::new(&sides), probes::Open::new(&sides));
    crowd.0.close(&sides, &sides.run);
    crowd.1.close(&sides, &sides.run);
    let mut servers = of_servers(&sides, &sides.run);
    for shift in shifts(sides.lag()) {
        let open = servers.iter().any(differs);
        if crowd.0.is_closed() && crowd.1.is_closed() && !open {
            break;
        }
        let run = self::run(&plan, &sides.milestones, &time_map, shift);
        crowd.0.close(&sides, &run);
        crowd.1.close(&sides, &run);
        if open {
            // What a client wrote in time, or did not, shows between servers too.
            let other = of_servers(&sides, &run);
            for observation in servers.iter_mut().filter(|one| differs(one)) {
                let same = |other: &&Observation| other.what == observation.what;
                if let Some(other) = other.iter().find(same).filter(|other| !differs(other)) {
                    *observation = other.clone();
                }
            }
        }
    }
    servers.extend(crowd.0.observations(&sides));
    servers.extend(crowd.1.observations(&sides));
    Ok(servers)
}

/// Whether the replica had something to acknowledge when the primary was to be moved.
fn waited_for_sync(recording: &[Line], members: &Members, turn: Time) -> bool {
    let milestones = milestones::recorded(recording, members);
    let mut after = milestones
        .iter()
        .skip_while(|m| m.at + Duration::millis(2) < turn);
    let times = (after.next(), after.next());
    matches!(times, (Some(one), Some(next)) if next.at.since(one.at) > Duration::millis(20))
}

fn is_thinned(line: &Line) -> bool {
    let Event::Dropped { lines } = &line.event else {
        return false;
    };
    lines.get("op").is_some_and(|count| *count > 0)
}

fn differs(observation: &Observation) -> bool {
    matches!(observation.outcome, Outcome::Differs(_))
}

/// What a run shows of the servers.
fn of_servers(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    let mut observations = operator::observe(sides, run);
    observations.extend(phases::observe(sides, run));
    observations.extend(states::observe(sides, run));
    observations.extend(handshakes::observe(sides, run));
    observations.extend(ending::observe(sides, run));
    observations
}

fn plan(recording: &[Line], behaviour: &'static Behaviour) -> Result<Plan, RecordingError> {
    let members = Members::of(recording)?;
    let mut words = Words::new(members.addresses());
    let mut script = Script::of(recording, &members, &mut words)?;
    let clients = Clients::of(recording, &members, &mut words)?;
    let turn = turn(recording, &script);
    let evidence = Evidence::of(recording, &members, turn, &script.stops());
    script.delay(&evidence.delays);
    script.ask_for_acknowledgements(&evidence.asked, &mut words);
    if recording.iter().any(is_thinned) && waited_for_sync(recording, &members, turn) {
        script.write_before(turn, &mut words);
    }
    Ok(Plan {
        members,
        words,
        script,
        clients,
        evidence,
        behaviour,
    })
}

/// When the operator first said something that moved a primary, once the replicas were there.
fn turn(recording: &[Line], script: &Script) -> Time {
    let begin = script.begin().map_or(0, |(_, index)| index);
    let mut steps = script.steps[begin..].iter();
    let moved = steps.find(|step| match step.act() {
        Some(Act::Say { text, .. }) => {
            let moves = text.starts_with("FAILOVER") || text.starts_with("REPLICAOF");
            let reply = operator::reply_after(recording, step.line);
            moves && reply.is_some_and(|(_, reply)| reply == "+OK")
        }
        _ => false,
    });
    moved.map_or(Time::ZERO, |step| step.at)
}

fn run(plan: &Plan, milestones: &[Milestone], time_map: &TimeMap, shift: Shift) -> Run {
    let mut played = play(plan, time_map, shift);
    // What led up to the script's beginning is not what is compared.
    let begin = plan.script.begin().map(|(_, index)| played.steps[index]);
    played
        .milestones
        .retain(|milestone| begin.is_none_or(|begin| milestone.at >= begin));
    // What was waited for was seen late, by a poll: only what was done counts.
    let steps = plan.script.steps.iter().zip(&played.steps);
    let done = steps.filter(|(step, _)| step.act().is_some());
    let mut knots: Vec<(Time, Time)> = done.map(|(step, at)| (step.at, *at)).collect();
    let pairs = milestones::pairs(milestones, &played.milestones);
    knots.extend(
        pairs
            .iter()
            .map(|(recorded, model)| (recorded.at, model.at)),
    );
    Run {
        time_map: TimeMap::joining(knots),
        played,
    }
}

/// The runs other than the first.
fn shifts(lag: Duration) -> impl Iterator<Item = Shift> {
    let fits = move |tenths: &i64| tenths.unsigned_abs() * 100_000 <= lag.0.max(LEAST_LAG.0) * 2;
    let moved = SHIFTS.into_iter().filter(fits).flat_map(|tenths| {
        [Pace::AsRecorded, Pace::AtOnce, Pace::Late].map(|pace| Shift {
            by: tenths * 100_000,
            pace,
        })
    });
    moved.skip(1)
}

impl Sides<'_> {
    /// How late the recorder was at most, and no less than any is.
    fn lag(&self) -> Duration {
        self.plan.script.lag.max(LEAST_LAG)
    }
}

fn ms(at: Time) -> f64 {
    at.0 as f64 / 1e6
}

/// Counts what is compared and keeps what differs.
struct Tally {
    what: String,
    compared: u32,
    differences: Vec<Difference>,
}

impl Tally {
    fn of(what: impl Into<String>) -> Tally {
        Tally {
            what: what.into(),
            compared: 0,
            differences: Vec::new(),
        }
    }

    /// Compares two texts.
    fn same(&mut self, at: Time, about: &str, recorded: &str, model: &str) {
        self.compared += 1;
        if recorded != model {
            self.differ(at, format!("{about}{recorded}"), format!("{about}{model}"));
        }
    }

    fn differ(&mut self, at: Time, recorded: String, model: String) {
        self.differences.push(Difference {
            at_ms: ms(at),
            recorded,
            model,
        });
    }

    fn observation(self) -> Observation {
        Observation {
            what: self.what,
            compared: self.compared,
            outcome: if self.differences.is_empty() {
                Outcome::Agrees
            } else {
                Outcome::Differs(self.differences)
            },
        }
    }
}

/// Something that cannot be compared.
fn not_compared(what: impl Into<String>, why: impl Into<String>) -> Observation {
    Observation {
        what: what.into(),
        compared: 0,
        outcome: Outcome::NotCompared { why: why.into() },
    }
}
