//! The client groups: where they start, what library they use, what they ask for.

use super::names::Names;
use super::{Problem, Result, check};
use crate::client::{ClientSpec, Mix, PRESETS, Pace, Policy, Workload, check_in_cluster};
use crate::scenario::command_line::KEYS;
use crate::scenario::either::{PolicyChoice, Start};
use crate::scenario::format::Group;
use crate::scenario::nearest::no_such;
use crate::scenario::plan::{ClientGroup, ClusterPlan, NodePlan};
use crate::scenario::policy;
use crate::valkey::NodeId;
use rebound_engine::{Duration, Limits, Time};

/// Clients of a scenario at most.
const MOST_CLIENTS: u64 = 100_000;
/// Commands, or connections, that all clients together may have open at most.
const MOST_OPEN: u64 = 10_000_000;
/// A command's weight in a mix at most.
const MOST_WEIGHT: u64 = 1_000_000;

/// The groups.
pub fn groups(
    written: &[Group],
    nodes: &[NodePlan],
    names: &Names<'_>,
    limits: &Limits,
    cluster: Option<&ClusterPlan>,
) -> Result<Vec<ClientGroup>> {
    let mut groups: Vec<ClientGroup> = Vec::new();
    let (mut clients, mut commands, mut connections, mut keys) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (index, group) in written.iter().enumerate() {
        let path = format!("clients[{index}]");
        let resolved = resolve_group(&path, group, nodes, names, limits, cluster)?;
        let count = u64::from(resolved.count);
        let workload = &resolved.workload;
        clients += count;
        commands = commands.saturating_add(count.saturating_mul(open_commands(workload)));
        let per_client = u64::from(workload.connections) * nodes.len() as u64;
        connections = connections.saturating_add(count * per_client);
        let of_its_own = if workload.own_keys { count } else { 1 };
        keys = keys.saturating_add(of_its_own * u64::from(workload.keys));
        for (what, number, most) in [
            ("clients", clients, MOST_CLIENTS),
            ("commands open at once", commands, MOST_OPEN),
            ("connections", connections, MOST_OPEN),
            ("keys", keys, KEYS.into()),
        ] {
            if number > most {
                return Err(Problem::new(
                    &path,
                    format!(
                        "{number} {what} with this group: expected {most} at most in all groups"
                    ),
                ));
            }
        }
        let (policy, workload) = (&resolved.policy, &resolved.workload);
        ClientSpec::new(policy.clone(), workload.clone(), nodes.len() as u16)
            .map_err(|message| Problem::new(&path, message))?;
        if let Some(cluster) = cluster {
            check_in_cluster(policy, workload, cluster.keys_per_tag)
                .map_err(|message| Problem::new(&path, message))?;
        }
        groups.push(resolved);
    }
    Ok(groups)
}

fn resolve_group(
    path: &str,
    group: &Group,
    nodes: &[NodePlan],
    names: &Names<'_>,
    limits: &Limits,
    cluster: Option<&ClusterPlan>,
) -> Result<ClientGroup> {
    let count = group.count.unwrap_or(1);
    check::between(format!("{path}.count"), count.into(), 1, MOST_CLIENTS)?;
    let mut policy = resolve_policy(&format!("{path}.policy"), group.policy.as_ref(), cluster)?;
    if let Some(readonly) = group.readonly {
        policy.readonly = readonly;
    }
    check_workload(&format!("{path}.workload"), &group.workload)?;
    let (from, to) = match &group.arrive {
        Some(arrival) => (arrival.from, arrival.to),
        None => (
            Duration::ZERO,
            Duration::millis(100).min(limits.load_until.since(Time::ZERO)),
        ),
    };
    check::ordered(format!("{path}.arrive"), from, to)?;
    let (from, to) = (Time::ZERO + from, Time::ZERO + to);
    if to > limits.load_until {
        return Err(Problem::new(
            format!("{path}.arrive"),
            format!(
                "clients start at {to}, after phases.load_until ({}), when no new commands are issued",
                limits.load_until
            ),
        ));
    }
    Ok(ClientGroup {
        name: group.name.clone(),
        count,
        start: start(&format!("{path}.start"), group.start.as_ref(), nodes, names)?,
        arrive: (from, to),
        policy,
        workload: group.workload.clone(),
    })
}

fn start(
    path: &str,
    written: Option<&Start>,
    nodes: &[NodePlan],
    names: &Names<'_>,
) -> Result<Vec<NodeId>> {
    match written {
        Some(Start::One(name)) => Ok(vec![names.node(path, name)?]),
        Some(Start::Several(several)) if several.is_empty() => Err(Problem::new(
            path,
            "an empty list: expected at least one node",
        )),
        Some(Start::Several(several)) => (several.iter().enumerate())
            .map(|(index, name)| names.node(format!("{path}[{index}]"), name))
            .collect(),
        None => {
            let first = nodes.iter().position(|node| node.replica_of.is_none());
            let first = first.and_then(|index| u16::try_from(index).ok());
            Ok(vec![NodeId(first.unwrap_or(0))])
        }
    }
}

fn resolve_policy(
    path: &str,
    choice: Option<&PolicyChoice>,
    cluster: Option<&ClusterPlan>,
) -> Result<Policy> {
    let usual = PolicyChoice {
        preset: match cluster {
            None => "valkey-go".to_owned(),
            Some(_) => "valkey-go-cluster".to_owned(),
        },
        overrides: serde_json::Map::new(),
    };
    let choice = choice.unwrap_or(&usual);
    let Some(preset) = policy::preset(&choice.preset) else {
        let names = policy::preset_names();
        return Err(Problem::new(
            path,
            no_such("policy", "policies", &choice.preset, &names),
        ));
    };
    let policy: Policy = check::with_changes(path, &preset, &choice.overrides)?;
    fits_the_servers(path, &choice.preset, &policy, cluster.is_some())?;
    for (field, span) in [
        ("dial_timeout", policy.dial_timeout),
        ("command_timeout", policy.command_timeout),
    ] {
        if span == Duration::ZERO {
            let message = "0 is too short: everything would fail at once";
            return Err(Problem::new(format!("{path}.{field}"), message));
        }
    }
    if policy.refresh == Some(Duration::ZERO) {
        let message = "0 is too short: expected an interval, or null for never";
        return Err(Problem::new(format!("{path}.refresh"), message));
    }
    Ok(policy)
}

/// A policy for a cluster goes with a cluster, and one without goes with standalone servers.
fn fits_the_servers(path: &str, preset: &str, policy: &Policy, cluster: bool) -> Result<()> {
    let message = match (policy.cluster.is_some(), cluster) {
        (true, true) | (false, false) => return Ok(()),
        (false, true) => {
            let own = PRESETS.iter().filter(|p| p.policy().cluster.is_some());
            let names: Vec<String> = own.map(|p| format!("\"{}\"", p.name)).collect();
            format!(
                "\"{preset}\" does not support clusters, but these servers are one: expected one of {}",
                names.join(", ")
            )
        }
        (true, false) => format!(
            "\"{preset}\" is for clusters, but these servers are not one: expected another policy, or \"cluster\": {{}} in the scenario"
        ),
    };
    Err(Problem::new(path, message))
}

fn check_workload(path: &str, workload: &Workload) -> Result<()> {
    let at = |field: &str| format!("{path}.{field}");
    match workload.pace {
        Pace::Closed { workers, think } => {
            check::between(
                at("pace.closed.workers"),
                workers.into(),
                1,
                u16::MAX.into(),
            )?;
            check::not_longer_than_a_run(at("pace.closed.think"), think)?;
        }
        Pace::Open { every, max_open } => {
            check::positive(at("pace.open.every"), every)?;
            check::between(
                at("pace.open.max_open"),
                max_open.into(),
                1,
                u16::MAX.into(),
            )?;
        }
    }
    let mut sum = 0;
    for (command, weight) in weights(&workload.mix) {
        check::between(at(&format!("mix.{command}")), weight.into(), 0, MOST_WEIGHT)?;
        sum += u64::from(weight);
    }
    if sum == 0 {
        let message = "every command has frequency 0: expected at least one above";
        return Err(Problem::new(at("mix"), message));
    }
    check::between(at("keys"), workload.keys.into(), 1, KEYS.into())?;
    let at_once = u64::from(workload.mget_keys);
    let most = u64::from(if workload.mix.mget > 0 {
        workload.keys
    } else {
        255
    });
    check::between(at("mget_keys"), at_once, 1, most.min(255))?;
    check::between(
        at("transaction_size"),
        workload.transaction_size.into(),
        1,
        255,
    )?;
    check::between(at("pipeline"), workload.pipeline.into(), 1, u16::MAX.into())?;
    check::between(at("connections"), workload.connections.into(), 1, 1_000)?;
    check::not_longer_than_a_run(at("blpop_timeout"), workload.blpop_timeout)
}

/// Commands that a client can have open at once.
fn open_commands(workload: &Workload) -> u64 {
    let at_once = match workload.pace {
        Pace::Closed { workers, .. } => workers,
        Pace::Open { max_open, .. } => max_open,
    };
    u64::from(at_once) * u64::from(workload.pipeline)
}

/// The mix, by name. Taken apart field by field, so that none can be forgotten.
fn weights(mix: &Mix) -> [(&'static str, u32); 13] {
    let Mix {
        get,
        set,
        incr,
        del,
        mget,
        multi,
        blpop,
        lpush,
        subscribe,
        publish,
        ping,
        eval,
        eval_set,
    } = *mix;
    [
        ("get", get),
        ("set", set),
        ("incr", incr),
        ("del", del),
        ("mget", mget),
        ("multi", multi),
        ("blpop", blpop),
        ("lpush", lpush),
        ("subscribe", subscribe),
        ("publish", publish),
        ("ping", ping),
        ("eval", eval),
        ("eval_set", eval_set),
    ]
}
