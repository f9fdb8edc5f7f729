//! Which parts of a scenario can be carried out on real servers, and why the others cannot.

use super::plan::{Action, NodePlan, PathFault, Paths, Plan, Selector};
use super::request::request;
use crate::valkey::{Config, Persistence};
use rebound_engine::{Distribution, Duration, Odds};
use rebound_net::{HostId, TcpTimers};

/// A part of a scenario that cannot be driven on real servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drivability {
    /// Where it stands in the scenario, such as `timeline[2]`.
    pub place: String,
    /// Why it cannot be.
    pub why: String,
}

/// More clients than this would measure the machine that they share with the servers.
const MOST_CLIENTS: u32 = 200;
/// More servers than this are not started.
const MOST_NODES: usize = 8;

/// What of a plan cannot be driven on real servers; nothing if all of it can. The behaviour that
/// the scenario names does not count: real servers have their own.
pub fn undrivable(plan: &Plan) -> Vec<Drivability> {
    let mut found = Vec::new();
    let mut cannot = |place: String, why: &str| {
        found.push(Drivability {
            place,
            why: why.to_owned(),
        });
    };
    if plan.cluster.is_some() {
        cannot("cluster".to_owned(), "real clusters cannot be driven");
    }
    if plan.sentinel.is_some() {
        cannot("sentinel".to_owned(), "a real Sentinel cannot be driven");
    }
    if plan.nodes.len() > MOST_NODES {
        cannot("nodes".to_owned(), "at most 8 servers are supported");
    }
    if plan.clients() > MOST_CLIENTS {
        let why =
            "more than 200 clients would measure the machine that they share with the servers";
        cannot("clients".to_owned(), why);
    }
    if plan.network.tcp != TcpTimers::default() {
        cannot("network.tcp".to_owned(), "TCP's timers are the machine's");
    }
    for (place, profile) in plan.network.profiles.iter().enumerate() {
        if profile.loss != Odds::per_million(0) {
            cannot("network".to_owned(), "a TCP proxy can lose no segments");
        }
        let drawn = !matches!(profile.latency, Distribution::Constant(_));
        if place > 0 && drawn && in_use(plan, place) {
            let why = "a proxy's delay is always the same: expected a constant latency";
            cannot("network.paths".to_owned(), why);
        }
    }
    for (place, node) in plan.nodes.iter().enumerate() {
        if let Some(why) = node_cannot(node) {
            cannot(format!("nodes[{place}]"), &why);
        }
    }
    let timeline = plan.timeline.iter().map(|item| &item.action).enumerate();
    for (place, action) in timeline {
        if let Some(why) = action_cannot(plan, action) {
            cannot(format!("timeline[{place}]"), &why);
        }
    }
    for (place, spec) in plan.faults.specs.iter().enumerate() {
        if let Some(why) = action_cannot(plan, &spec.action) {
            cannot(format!("faults.may[{place}]"), &why);
        }
    }
    found
}

fn in_use(plan: &Plan, profile: usize) -> bool {
    let mut paths = plan.network.paths.iter();
    paths.any(|path| path.forward == profile || path.backward == profile)
}

fn node_cannot(node: &NodePlan) -> Option<String> {
    if let Some(behaviour) = node.behaviour {
        return Some(format!(
            "its behaviour is set to {}, but a real server has its own",
            behaviour.name
        ));
    }
    let usual = Config::default();
    let config = &node.config;
    let machine = [
        ("service-time", config.service_time, usual.service_time),
        ("turn-time", config.turn_time, usual.turn_time),
        ("snapshot-save", config.snapshot_save, usual.snapshot_save),
        ("snapshot-load", config.snapshot_load, usual.snapshot_load),
        ("boot", config.boot, usual.boot),
    ];
    if let Some((name, ..)) = machine.iter().find(|(_, own, usual)| own != usual) {
        return Some(format!("{name} is the machine's"));
    }
    if config.persistence == Persistence::Everything {
        return Some("a killed server has only what it has saved".to_owned());
    }
    let whole = [
        ("repl-timeout", config.repl_timeout),
        ("repl-diskless-sync-delay", config.repl_diskless_sync_delay),
        ("min-replicas-max-lag", config.min_replicas_max_lag),
    ];
    let broken = |span: Duration| !span.as_nanos().is_multiple_of(1_000_000_000);
    let (name, _) = whole.iter().find(|(_, span)| broken(*span))?;
    Some(format!("real servers take {name} in whole seconds"))
}

/// Why an action cannot be carried out; none if it can.
fn action_cannot(plan: &Plan, action: &Action) -> Option<String> {
    match action {
        Action::Operator(_, commands) => commands.iter().find_map(|command| {
            let said = request(*command, |_| (String::new(), 0));
            let why = said.err()?.reason();
            Some(format!("{}: {why}", command.kind().name()))
        }),
        Action::Sentinel(_) => Some("a real Sentinel cannot be driven".to_owned()),
        Action::Paths(_, PathFault::Loss(_), _) => {
            Some("a TCP proxy can lose no segments".to_owned())
        }
        Action::Paths(paths, PathFault::Cut(_) | PathFault::Clog(_) | PathFault::Spike(_), _)
        | Action::Reset(paths) => paths_cannot(plan, *paths),
        Action::Slow(..) => Some("a real server cannot be made slower".to_owned()),
        Action::HostDown(..) => {
            Some("servers run on this machine, which cannot be taken down".to_owned())
        }
        Action::Pause(..) | Action::Refuse(..) | Action::Crash(..) | Action::Restart(_) => None,
    }
}

fn paths_cannot(plan: &Plan, paths: Paths) -> Option<String> {
    let ends = [paths.from, paths.to];
    let foreign = |end: &Selector| match end {
        Selector::Bus | Selector::BusOf(_) | Selector::Sentinel => true,
        Selector::All
        | Selector::Nodes
        | Selector::Node(_)
        | Selector::Clients
        | Selector::Group(_) => false,
    };
    let some = (0..plan.hosts()).any(|host| plan.selects(paths.from, HostId(host)));
    if ends.iter().any(foreign) || !some {
        return Some("there are no such paths between real servers".to_owned());
    }
    None
}
