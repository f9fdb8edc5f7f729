//! What the clients of a group have in common, checked once so that nothing can go wrong later.

use super::cluster_policy::Refresh;
use super::generate::Shares;
use super::policy::{Batch, ErrorAction, Policy, Reach, Scope};
use super::workload::{Pace, Workload};
use rebound_engine::{Distribution, Duration};

/// The most commands that one client can have open: its marks on requests have 16 bits for them.
const MAX_OPEN: u32 = 32_768;
/// The most nodes: the set of those that redirected a command is a word of bits.
const MAX_NODES: u16 = 64;

/// What a group's clients do, ready to be run.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// The library.
    pub policy: Policy,
    /// The application.
    pub workload: Workload,
    /// Between commands: the closed loop's thinking, or the open one's intervals.
    pub think: Distribution,
    /// How many servers there are; where rediscovery looks.
    pub nodes: u16,
    /// Keys of one type that a key space holds: the most that any group of the run uses, so that
    /// no group's strings are another's counters.
    pub(super) key_space: u32,
    /// How many neighbouring keys share a hash tag, if the servers are a cluster.
    pub(super) keys_per_tag: Option<u32>,
    pub(super) mix: Shares,
}

impl ClientSpec {
    /// Checks a policy and a workload.
    ///
    /// # Errors
    /// A sentence that names the field which contradicts itself or another.
    pub fn new(policy: Policy, workload: Workload, nodes: u16) -> Result<ClientSpec, String> {
        check_policy(&policy)?;
        check_workload(&workload)?;
        if nodes == 0 || nodes > MAX_NODES {
            return Err(format!("{nodes} nodes: expected 1 to {MAX_NODES}"));
        }
        let think = match workload.pace {
            Pace::Closed { think, .. } => think,
            Pace::Open { every, .. } => every,
        };
        Ok(ClientSpec {
            think: Distribution::exponential(think),
            nodes,
            mix: Shares::of(&workload.mix),
            key_space: workload.keys,
            keys_per_tag: None,
            policy,
            workload,
        })
    }

    /// Sets the key space to the largest group's.
    pub(crate) fn sharing_keys(self, key_space: u32) -> ClientSpec {
        ClientSpec { key_space, ..self }
    }

    /// Makes the servers a cluster in which `keys_per_tag` neighbouring keys share a hash tag. Key
    /// spaces begin with a tag of their own.
    ///
    /// # Errors
    /// A sentence that says why such a client cannot be one of a cluster.
    pub fn in_cluster(self, keys_per_tag: u32) -> Result<ClientSpec, String> {
        check_in_cluster(&self.policy, &self.workload, keys_per_tag)?;
        let key_space = self.key_space.next_multiple_of(keys_per_tag);
        Ok(ClientSpec {
            key_space,
            keys_per_tag: Some(keys_per_tag),
            ..self
        })
    }
}

fn check_policy(policy: &Policy) -> Result<(), String> {
    let zero = |name: &str, span: Duration| {
        if span == Duration::ZERO {
            Err(format!("policy.{name} is zero: nothing could ever succeed"))
        } else {
            Ok(())
        }
    };
    zero("dial_timeout", policy.dial_timeout)?;
    zero("command_timeout", policy.command_timeout)?;
    if let Some(refresh) = policy.refresh {
        zero("refresh", refresh)?;
    }
    if policy.scope == Scope::Command && policy.reach != Reach::Warm {
        return Err(
            "policy.scope \"command\" needs policy.reach \"warm\": a new connection or pool \
             replaces the whole client's"
                .to_owned(),
        );
    }
    if policy.stale_filter && policy.reach == Reach::Warm {
        return Err(
            "policy.stale_filter needs policy.reach \"dial\" or \"new-pool\": with \"warm\" no \
             connection is ever abandoned"
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether a policy and a workload fit a cluster in which `keys_per_tag` neighbouring keys share a
/// hash tag.
///
/// # Errors
/// A sentence that names the field which does not.
pub(crate) fn check_in_cluster(
    policy: &Policy,
    workload: &Workload,
    keys_per_tag: u32,
) -> Result<(), String> {
    let Some(cluster) = &policy.cluster else {
        return Err("policy.cluster is missing: the library does not support clusters".to_owned());
    };
    if (policy.scope, policy.reach, policy.batch) != (Scope::Command, Reach::Warm, Batch::Each) {
        return Err(
            "policy.cluster needs policy.scope \"command\", policy.reach \"warm\" and policy.batch \
             \"each\": a MOVED is about one slot, so it moves one command"
                .to_owned(),
        );
    }
    for (name, action) in [
        ("on_tryagain", cluster.on_tryagain),
        ("on_clusterdown", cluster.on_clusterdown),
    ] {
        if matches!(action, ErrorAction::Rediscover { .. }) {
            return Err(format!(
                "policy.cluster.{name} is \"rediscover\", but a cluster has no single primary: \
                 expected \"surface\" or \"retry\""
            ));
        }
    }
    for (name, action) in [
        ("on_readonly", policy.on_readonly),
        ("on_transient", policy.on_transient),
    ] {
        if matches!(action, ErrorAction::Rediscover { .. }) {
            return Err(format!(
                "policy.{name} is \"rediscover\", but a cluster has no single primary: expected \
                 \"surface\" or \"retry\""
            ));
        }
    }
    for (name, refresh) in [
        ("on_moved", cluster.on_moved),
        ("on_ask", cluster.on_ask),
        ("on_trouble", cluster.on_trouble),
    ] {
        if refresh == Refresh::EveryNth(0) {
            return Err(format!(
                "policy.cluster.{name} is every 0th time: expected at least 1"
            ));
        }
    }
    if cluster.every == Some(Duration::ZERO) {
        return Err(
            "policy.cluster.every is 0: expected an interval, or null for never".to_owned(),
        );
    }
    if policy.refresh.is_some() {
        return Err(
            "policy.refresh asks ROLE, which is useless in a cluster: expected null, and \
             policy.cluster.every"
                .to_owned(),
        );
    }
    let mix = &workload.mix;
    if let Some((name, _)) = [("subscribe", mix.subscribe), ("publish", mix.publish)]
        .iter()
        .find(|(_, share)| *share > 0)
    {
        return Err(format!(
            "workload.mix has {name}, but messages travel over the cluster bus, which is not \
             modelled: expected 0 in a cluster"
        ));
    }
    for (command, share, field, count) in [
        ("mget", mix.mget, "mget_keys", workload.mget_keys),
        (
            "multi",
            mix.multi,
            "transaction_size",
            workload.transaction_size,
        ),
    ] {
        if share == 0 {
            continue;
        }
        if u32::from(count) > keys_per_tag {
            return Err(format!(
                "workload.{field} is {count}, but cluster.keys_per_tag is {keys_per_tag}: the keys \
                 of one {command} would be in several slots (expected keys_per_tag to be at least \
                 {count})"
            ));
        }
        if !workload.keys.is_multiple_of(keys_per_tag) {
            return Err(format!(
                "workload.keys is {}, but the mix has {command}: expected a multiple of \
                 cluster.keys_per_tag ({keys_per_tag})",
                workload.keys
            ));
        }
    }
    Ok(())
}

fn check_workload(workload: &Workload) -> Result<(), String> {
    let mix = &workload.mix;
    if Shares::of(mix).total() == 0 {
        return Err("workload.mix is all zero: there is no command to issue".to_owned());
    }
    for (name, value) in [
        ("keys", workload.keys),
        ("pipeline", u32::from(workload.pipeline)),
        ("connections", u32::from(workload.connections)),
    ] {
        if value == 0 {
            return Err(format!("workload.{name} is 0: expected at least 1"));
        }
    }
    if mix.mget > 0 && workload.mget_keys == 0 {
        return Err("workload.mget_keys is 0, but the mix has mget".to_owned());
    }
    if mix.multi > 0 && workload.transaction_size == 0 {
        return Err("workload.transaction_size is 0, but the mix has multi".to_owned());
    }
    let alone = [
        ("multi", mix.multi),
        ("blpop", mix.blpop),
        ("subscribe", mix.subscribe),
    ];
    if let Some((name, _)) = alone
        .iter()
        .find(|(_, share)| workload.pipeline > 1 && *share > 0)
    {
        return Err(format!(
            "workload.pipeline is {}, but the mix has {name}, which needs a connection of its \
             own: give it another group",
            workload.pipeline
        ));
    }
    let timeout = workload.blpop_timeout.as_nanos();
    if !timeout.is_multiple_of(1_000_000) || timeout / 1_000_000 > u64::from(u32::MAX) {
        return Err(format!(
            "workload.blpop_timeout {}: expected whole milliseconds, fewer than 2^32",
            workload.blpop_timeout
        ));
    }
    let pipeline = u32::from(workload.pipeline);
    let open = match workload.pace {
        Pace::Closed { workers: 0, .. } => {
            return Err("workload.pace has 0 workers: expected at least 1".to_owned());
        }
        Pace::Closed { workers, .. } => u32::from(workers).saturating_mul(pipeline),
        Pace::Open {
            every: Duration::ZERO,
            ..
        } => {
            return Err("workload.pace issues every 0: expected a longer interval".to_owned());
        }
        Pace::Open { max_open, .. } if u32::from(max_open) < pipeline => {
            return Err(format!(
                "workload.pace allows {max_open} open commands, fewer than a pipeline of {pipeline}"
            ));
        }
        Pace::Open { max_open, .. } => u32::from(max_open),
    };
    if open > MAX_OPEN {
        return Err(format!(
            "a client could have {open} commands open: expected at most {MAX_OPEN}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::presets::policy;
    use super::super::workload::Mix;
    use super::*;

    fn rejects(change: impl FnOnce(&mut Policy, &mut Workload), named: &str) {
        let mut policy = policy("warm").expect("known");
        let mut workload = Workload::default();
        change(&mut policy, &mut workload);
        let error = ClientSpec::new(policy, workload, 2).expect_err(named);
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn contradictions_are_named() {
        rejects(|_, w| w.mix = Mix::default(), "workload.mix");
        rejects(|_, w| w.keys = 0, "workload.keys");
        rejects(|_, w| w.pipeline = 0, "workload.pipeline");
        rejects(|_, w| w.connections = 0, "workload.connections");
        rejects(
            |_, w| {
                w.pipeline = 2;
                w.mix.multi = 1;
            },
            "multi",
        );
        rejects(
            |_, w| {
                w.pace = Pace::Closed {
                    workers: 0,
                    think: Duration::ZERO,
                };
            },
            "workers",
        );
        rejects(
            |_, w| w.blpop_timeout = Duration::micros(1),
            "blpop_timeout",
        );
        rejects(|p, _| p.command_timeout = Duration::ZERO, "command_timeout");
        rejects(
            |p, _| {
                p.scope = Scope::Command;
                p.reach = Reach::Dial;
            },
            "policy.scope",
        );
        let error = ClientSpec::new(policy("warm").expect("known"), Workload::default(), 0);
        assert!(error.is_err());
    }
}
