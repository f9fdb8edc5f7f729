//! From the file as written to the plan: every name looked up, every number checked.
//!
//! The first mistake ends it, so that there is one message, about one place.

mod check;
mod clients;
mod cluster;
mod expect;
mod names;
mod network;
mod nodes;
mod sentinel;
mod timeline;

use self::names::Names;
use super::drivable::undrivable;
use super::error::Problem;
use super::format::{Budget, Phases, Scenario, Ties};
use super::plan::Plan;
use crate::valkey::Behaviour;
use rebound_engine::{Duration, Limits, TieBreak, Time};

/// The longest run: one hour of virtual time.
const LONGEST_RUN: Duration = Duration::secs(3600);
/// Events of a run at most: their insertion numbers have 32 bits.
const MOST_EVENTS: u64 = 4_000_000_000;
/// Pending events and the like at most: what fits into memory.
const MOST_BACKLOG: u64 = 100_000_000;

type Result<T> = std::result::Result<T, Problem>;

/// Resolves a scenario.
pub fn plan(scenario: &Scenario, path: &str, hash: u128) -> Result<Plan> {
    check::identifier("name", &scenario.name)?;
    let behaviour: &'static Behaviour = match &scenario.behaviour {
        Some(name) => names::behaviour("behaviour", name)?,
        None => names::behaviour(
            "behaviour",
            &super::either::BehaviourName("8.0.0-rc1".into()),
        )?,
    };
    let limits = limits(&scenario.phases, &scenario.budget)?;
    let names = Names::new(
        &scenario.nodes,
        &scenario.clients,
        scenario.sentinel.is_some(),
        scenario.cluster.is_some(),
    )?;
    let (nodes, mut addresses) = nodes::nodes(scenario)?;
    let cluster = cluster::cluster(scenario, &nodes)?;
    let network = network::network(&scenario.network, &names)?;
    let groups = clients::groups(&scenario.clients, &nodes, &names, &limits, cluster.as_ref())?;
    if cluster.is_some() {
        cluster::check_triggers(&scenario.timeline)?;
    }
    let sentinel = match &scenario.sentinel {
        Some(written) => Some(sentinel::sentinel(written, &nodes, &names)?),
        None => None,
    };
    let mut known = timeline::Known {
        names: &names,
        addresses: &mut addresses,
        sentinel: sentinel.as_ref(),
        limits: &limits,
    };
    let timeline = timeline::timeline(&scenario.timeline, &mut known)?;
    let faults = timeline::faults(&scenario.faults, &mut known)?;
    check::positive(
        "checks.thundering-herd.within",
        scenario.checks.thundering_herd.within,
    )?;
    let expect = expect::expectations(&scenario.expect, behaviour, &scenario.checks)?;
    let plan = Plan {
        name: scenario.name.clone(),
        path: path.to_owned(),
        hash,
        live: scenario.live,
        behaviour,
        nodes,
        addresses,
        network,
        cluster,
        groups,
        sentinel,
        timeline,
        faults,
        limits,
        tie_break: match scenario.tie_break {
            Ties::Fifo => TieBreak::Fifo,
            Ties::Seeded => TieBreak::Seeded,
        },
        checks: scenario.checks.clone(),
        expect,
    };
    if plan.live
        && let Some(step) = undrivable(&plan).into_iter().next()
    {
        let message = format!(
            "cannot be driven on real servers ({}), but the scenario says \"live\": true",
            step.why
        );
        return Err(Problem::new(step.place, message));
    }
    Ok(plan)
}

/// Phases and budget.
fn limits(phases: &Phases, budget: &Budget) -> Result<Limits> {
    let faults_until = phases.faults_until.unwrap_or_else(|| {
        let usual = Duration::secs(5);
        phases.load_until.map_or(usual, |load| usual.min(load))
    });
    let load_until = phases
        .load_until
        .unwrap_or(faults_until + Duration::secs(3));
    let settle_within = phases.settle_within.unwrap_or(Duration::secs(30));
    check::positive("phases.load_until", load_until)?;
    check::positive("phases.settle_within", settle_within)?;
    if load_until < faults_until {
        return Err(Problem::new(
            "phases.load_until",
            format!(
                "load ends at {load_until}, before faults end at {faults_until}: expected faults_until <= load_until"
            ),
        ));
    }
    let deadline = load_until + settle_within;
    if deadline > LONGEST_RUN {
        return Err(Problem::new(
            "phases",
            format!(
                "load_until and settle_within make {deadline}: a run has an hour (60m) at most"
            ),
        ));
    }
    let max_events = budget.max_events.unwrap_or(50_000_000);
    let max_backlog = budget.max_backlog.unwrap_or(2_000_000);
    check::between("budget.max_events", max_events, 1, MOST_EVENTS)?;
    check::between("budget.max_backlog", max_backlog, 1, MOST_BACKLOG)?;
    Ok(Limits {
        heal_at: Time::ZERO + faults_until,
        load_until: Time::ZERO + load_until,
        deadline: Time::ZERO + deadline,
        max_events,
        max_backlog,
    })
}
