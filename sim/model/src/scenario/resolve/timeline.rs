//! The timeline and the faults: what happens, surely or perhaps, and when.

use super::names::Names;
use super::{Problem, Result, check};
use crate::scenario::command_line;
use crate::scenario::format::{
    Act, Between, FailoverPhase, HandoverMessage, Heading, Item, May, MayHappen, RoleName, When,
};
use crate::scenario::plan::{
    Action, FaultSpec, Faults, Occasion, PathFault, Paths, SentinelPlan, TimelineItem, Trigger,
    TriggerMessage,
};
use crate::sentinel::{Release, Way};
use crate::valkey::{AddressBook, FailoverState};
use rebound_engine::{Duration, Limits, Odds, Time};
use rebound_net::Direction;

/// Items of the timeline, and faults, at most.
const MOST_ITEMS: usize = 1_000;
/// Commands of one item at most.
const MOST_COMMANDS: usize = 100;

/// What actions can refer to.
pub struct Known<'k> {
    pub names: &'k Names<'k>,
    pub addresses: &'k mut AddressBook,
    pub sentinel: Option<&'k SentinelPlan>,
    pub limits: &'k Limits,
}

/// What always happens.
pub fn timeline(written: &[Item], known: &mut Known<'_>) -> Result<Vec<TimelineItem>> {
    not_too_many("timeline", written.len())?;
    (written.iter().enumerate())
        .map(|(index, item)| timeline_item(&format!("timeline[{index}]"), item, known))
        .collect()
}

fn timeline_item(path: &str, item: &Item, known: &mut Known<'_>) -> Result<TimelineItem> {
    let after = item.after.unwrap_or(Duration::ZERO);
    check::not_longer_than_a_run(format!("{path}.after"), after)?;
    let action = action(&format!("{path}.do"), &item.action, Length::Own, known)?;
    let (occasion, field, earliest) = match (&item.at, &item.when) {
        (Some(at), None) => {
            if item.not_before.is_some() {
                let message = "\"not_before\" goes with \"when\", not with \"at\"";
                return Err(Problem::new(format!("{path}.not_before"), message));
            }
            let at = Time::ZERO + *at;
            (Occasion::At(at), "at", at)
        }
        (None, Some(when)) => {
            let trigger = trigger(&format!("{path}.when"), when, known.names)?;
            let not_before = Time::ZERO + item.not_before.unwrap_or(Duration::ZERO);
            let occasion = Occasion::When {
                trigger,
                not_before,
            };
            (occasion, "not_before", not_before)
        }
        (None, None) => {
            let message = "neither \"at\" nor \"when\": expected one of them";
            return Err(Problem::new(path, message));
        }
        (Some(_), Some(_)) => {
            let message = "both \"at\" and \"when\": expected one of them";
            return Err(Problem::new(path, message));
        }
    };
    let earliest = earliest + after;
    let limits = known.limits;
    in_time(&format!("{path}.{field}"), earliest, &item.action, limits)?;
    if let (Occasion::At(_), Some(lasts)) = (occasion, length(&action)) {
        let end = earliest + lasts;
        if end > limits.heal_at {
            return Err(Problem::new(
                format!("{path}.do"),
                format!(
                    "lasts until {end}, but everything heals at phases.faults_until ({})",
                    limits.heal_at
                ),
            ));
        }
    }
    Ok(TimelineItem {
        occasion,
        after,
        action,
    })
}

/// What begins at `at` begins while such things may.
fn in_time(path: &str, at: Time, act: &Act, limits: &Limits) -> Result<()> {
    let (last, phase, reason) = if is_fault(act) {
        (limits.heal_at, "faults_until", "when everything heals")
    } else {
        (
            limits.load_until,
            "load_until",
            "after which a run ends as soon as it can",
        )
    };
    if at < last {
        return Ok(());
    }
    Err(Problem::new(
        path,
        format!("{at} is not before phases.{phase} ({last}), {reason}"),
    ))
}

fn is_fault(act: &Act) -> bool {
    match act {
        Act::Command { .. } | Act::Sentinel { .. } | Act::Restart { .. } => false,
        Act::Cut(_)
        | Act::Clog(_)
        | Act::Spike { .. }
        | Act::Loss { .. }
        | Act::Reset { .. }
        | Act::Pause { .. }
        | Act::Refuse { .. }
        | Act::Slow { .. }
        | Act::Crash { .. }
        | Act::HostDown { .. } => true,
    }
}

/// How long an action lasts.
fn length(action: &Action) -> Option<Duration> {
    match action {
        Action::Paths(_, _, lasts)
        | Action::Pause(_, lasts)
        | Action::Refuse(_, lasts)
        | Action::Slow(_, _, lasts)
        | Action::HostDown(_, lasts) => Some(*lasts),
        Action::Crash(_, restart_after) => *restart_after,
        Action::Operator(..) | Action::Sentinel(_) | Action::Reset(_) | Action::Restart(_) => None,
    }
}

/// What may happen.
pub fn faults(written: &MayHappen, known: &mut Known<'_>) -> Result<Faults> {
    not_too_many("faults.may", written.may.len())?;
    let specs = (written.may.iter().enumerate())
        .map(|(index, may)| fault(&format!("faults.may[{index}]"), may, known))
        .collect::<Result<Vec<_>>>()?;
    let all = u32::try_from(specs.len()).unwrap_or(u32::MAX);
    Ok(Faults {
        budget: written.budget.unwrap_or(all),
        specs,
    })
}

fn fault(path: &str, may: &May, known: &mut Known<'_>) -> Result<FaultSpec> {
    let chance = may.chance_ppm.unwrap_or(1_000_000);
    check::between(format!("{path}.chance_ppm"), chance.into(), 0, 1_000_000)?;
    let (first, last) = may.between;
    check::ordered(format!("{path}.between"), first, last)?;
    in_time(
        &format!("{path}.between"),
        Time::ZERO + last,
        &may.action,
        known.limits,
    )?;
    let at_lasts = format!("{path}.lasts");
    if let Some((low, high)) = may.lasts {
        check::ordered(&at_lasts, low, high)?;
        check::positive(&at_lasts, low)?;
    }
    let (lasts, given) = match may.lasts {
        Some((low, high)) => ((low, high), true),
        None => ((Duration::ZERO, Duration::ZERO), false),
    };
    let length_of = if given {
        Length::Drawn(lasts.1)
    } else {
        Length::Missing
    };
    let action = action(&format!("{path}.do"), &may.action, length_of, known)?;
    if given && length(&action).is_none() {
        let message = "this action has no duration: expected no \"lasts\"";
        return Err(Problem::new(at_lasts, message));
    }
    Ok(FaultSpec {
        odds: Odds::per_million(chance),
        between: (Time::ZERO + first, Time::ZERO + last),
        lasts,
        action,
    })
}

/// Who says how long an action lasts.
#[derive(Copy, Clone)]
enum Length {
    /// The action itself.
    Own,
    /// The fault that it belongs to; at most so long.
    Drawn(Duration),
    /// The fault should say it and does not.
    Missing,
}

impl Length {
    /// The length of an action that must have one.
    fn of(self, path: &str, own: Option<Duration>) -> Result<Duration> {
        match self.perhaps(path, "lasts", own)? {
            Some(lasts) => Ok(lasts),
            None => Err(Problem::new(
                path,
                match self {
                    Length::Own => "missing field \"lasts\": expected how long, such as \"2s\"",
                    Length::Drawn(_) | Length::Missing => {
                        "missing field \"lasts\" next to \"do\": expected two durations, such as [\"10ms\", \"800ms\"]"
                    }
                },
            )),
        }
    }

    /// The length of an action that may be without.
    fn perhaps(self, path: &str, field: &str, own: Option<Duration>) -> Result<Option<Duration>> {
        let at = format!("{path}.{field}");
        match (self, own) {
            (Length::Own, Some(lasts)) => {
                check::positive(at, lasts)?;
                Ok(Some(lasts))
            }
            (Length::Own | Length::Missing, None) => Ok(None),
            (Length::Drawn(longest), None) => Ok(Some(longest)),
            (Length::Drawn(_) | Length::Missing, Some(_)) => Err(Problem::new(
                at,
                "a fault has its own duration: expected \"lasts\" next to \"do\"",
            )),
        }
    }
}

fn action(path: &str, act: &Act, length: Length, known: &mut Known<'_>) -> Result<Action> {
    let names = known.names;
    let node = |kind: &str, name: &str| names.node(format!("{path}.{kind}.node"), name);
    let at = |kind: &str| format!("{path}.{kind}");
    Ok(match act {
        Act::Command { node: name, run } => {
            let node = node("command", name)?;
            let path = at("command.run");
            if run.is_empty() || run.len() > MOST_COMMANDS {
                let message = format!("{} commands: expected 1 to {MOST_COMMANDS}", run.len());
                return Err(Problem::new(path, message));
            }
            let commands = (run.iter().enumerate())
                .map(|(index, text)| {
                    command_line::parse(text, known.addresses)
                        .and_then(|command| {
                            command_line::fits_the_servers(command, known.names.has_bus())?;
                            Ok(command)
                        })
                        .map_err(|message| Problem::new(format!("{path}[{index}]"), message))
                })
                .collect::<Result<Vec<_>>>()?;
            if let Some(index) = command_line::open_transaction(&commands) {
                return Err(Problem::new(
                    format!("{path}[{index}]"),
                    "MULTI without EXEC: expected \"EXEC\" or \"DISCARD\" after it in the same \"run\"",
                ));
            }
            Action::Operator(node, commands)
        }
        Act::Sentinel { failover } => {
            let Some(sentinel) = known.sentinel else {
                return Err(Problem::new(
                    at("sentinel"),
                    "there is no Sentinel: expected a field \"sentinel\" of the scenario, such as {\"down_after\": \"30s\"}",
                ));
            };
            if *failover == Way::Coordinated && sentinel.config.release == Release::Before9 {
                return Err(Problem::new(
                    at("sentinel.failover"),
                    "\"coordinated\" is new in 9.0, but sentinel.version is \"8.0\": expected \"classic\", or \"9.0\" there",
                ));
            }
            Action::Sentinel(*failover)
        }
        Act::Cut(between) => Action::Paths(
            between_paths(&at("cut"), between, names)?,
            PathFault::Cut(between.direction.map(direction)),
            length.of(&at("cut"), between.lasts)?,
        ),
        Act::Clog(between) => Action::Paths(
            between_paths(&at("clog"), between, names)?,
            PathFault::Clog(between.direction.map(direction)),
            length.of(&at("clog"), between.lasts)?,
        ),
        Act::Spike {
            from,
            to,
            both_ways,
            extra,
            lasts,
        } => {
            let paths = paths(&at("spike"), from, to, *both_ways, names)?;
            check::positive(at("spike.extra"), *extra)?;
            Action::Paths(
                paths,
                PathFault::Spike(*extra),
                length.of(&at("spike"), *lasts)?,
            )
        }
        Act::Loss {
            from,
            to,
            both_ways,
            loss_ppm,
            lasts,
        } => {
            let paths = paths(&at("loss"), from, to, *both_ways, names)?;
            check::loss_ppm(at("loss.loss_ppm"), *loss_ppm)?;
            let odds = Odds::per_million(*loss_ppm);
            Action::Paths(
                paths,
                PathFault::Loss(odds),
                length.of(&at("loss"), *lasts)?,
            )
        }
        Act::Reset {
            from,
            to,
            both_ways,
        } => Action::Reset(paths(&at("reset"), from, to, *both_ways, names)?),
        Act::Pause { node: name, lasts } => {
            Action::Pause(node("pause", name)?, length.of(&at("pause"), *lasts)?)
        }
        Act::Refuse { node: name, lasts } => {
            Action::Refuse(node("refuse", name)?, length.of(&at("refuse"), *lasts)?)
        }
        Act::Slow {
            node: name,
            factor,
            lasts,
        } => {
            check::between(at("slow.factor"), (*factor).into(), 2, 1_000_000)?;
            let node = node("slow", name)?;
            Action::Slow(node, *factor, length.of(&at("slow"), *lasts)?)
        }
        Act::Crash {
            node: name,
            restart_after,
        } => {
            let node = node("crash", name)?;
            Action::Crash(
                node,
                length.perhaps(&at("crash"), "restart_after", *restart_after)?,
            )
        }
        Act::HostDown { node: name, lasts } => Action::HostDown(
            node("host_down", name)?,
            length.of(&at("host_down"), *lasts)?,
        ),
        Act::Restart { node: name } => Action::Restart(node("restart", name)?),
    })
}

fn between_paths(path: &str, between: &Between, names: &Names<'_>) -> Result<Paths> {
    paths(path, &between.from, &between.to, between.both_ways, names)
}

fn paths(path: &str, from: &str, to: &str, both_ways: bool, names: &Names<'_>) -> Result<Paths> {
    let (from, to) = names.ends(path, from, to, both_ways)?;
    Ok(Paths {
        from,
        to,
        both_ways,
    })
}

fn direction(heading: Heading) -> Direction {
    match heading {
        Heading::Forward => Direction::Forward,
        Heading::Backward => Direction::Backward,
    }
}

fn trigger(path: &str, when: &When, names: &Names<'_>) -> Result<Trigger> {
    let node = names.node(format!("{path}.node"), &when.node)?;
    let mut found = [
        when.failover_state.map(|state| {
            let state = match state {
                FailoverPhase::NoFailover => FailoverState::NoFailover,
                FailoverPhase::WaitingForSync => FailoverState::WaitForSync,
                FailoverPhase::FailoverInProgress => FailoverState::InProgress,
            };
            Trigger::FailoverState(node, state)
        }),
        when.becomes.map(|role| match role {
            RoleName::Primary => Trigger::Promoted(node),
            RoleName::Replica => Trigger::Demoted(node),
        }),
        when.sends.map(|sent| Trigger::Sends(node, message(sent))),
        when.receives
            .map(|sent| Trigger::Receives(node, message(sent))),
    ]
    .into_iter()
    .flatten();
    match (found.next(), found.next()) {
        (Some(trigger), None) => Ok(trigger),
        (None, _) | (Some(_), Some(_)) => Err(Problem::new(
            path,
            "expected \"node\" and exactly one of \"failover_state\", \"becomes\", \"sends\", \"receives\"",
        )),
    }
}

fn message(written: HandoverMessage) -> TriggerMessage {
    match written {
        HandoverMessage::HandshakePing => TriggerMessage::HandshakePing,
        HandoverMessage::PsyncFailover => TriggerMessage::PsyncFailover,
        HandoverMessage::PsyncFailoverReply => TriggerMessage::PsyncFailoverReply,
    }
}

fn not_too_many(path: &str, count: usize) -> Result<()> {
    check::between(path, count as u64, 0, MOST_ITEMS as u64)
}
