//! `connection-storm`: one client or node opens too many connections in an interval.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{CheckId, Findings, Found};
use crate::client::ClientId;
use crate::engine::Time;
use crate::scenario::Plan;
use crate::trace::{Event, Record};
use crate::valkey::NodeId;

/// What the check keeps of a host.
#[derive(Clone, Debug, Default)]
struct Opened {
    /// When its latest connections were opened, as many as are allowed.
    latest: VecDeque<Time>,
    /// It has been reported.
    reported: bool,
}

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    hosts: Vec<Opened>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let hosts = plan.nodes.len() + plan.clients() as usize;
        State {
            plan: plan.clone(),
            hosts: vec![Opened::default(); hosts],
        }
    }

    pub(super) fn reset(&mut self) {
        for host in &mut self.hosts {
            host.latest.clear();
            host.reported = false;
        }
    }

    #[inline]
    pub(super) fn observe(&mut self, record: &Record, findings: &mut Findings) {
        if let Event::Dialled { from, .. } = record.event {
            self.opened(from.0, record.at, findings);
        }
    }

    fn opened(&mut self, host: u32, now: Time, findings: &mut Findings) {
        let config = &self.plan.checks.connection_storm;
        let opened = &mut self.hosts[host as usize];
        if !config.enabled || opened.reported {
            return;
        }
        opened.latest.push_back(now);
        if opened.latest.len() <= config.max_opened as usize {
            return;
        }
        let Some(first) = opened.latest.pop_front() else {
            return;
        };
        if now.since(first) >= config.within {
            return;
        }
        opened.reported = true;
        findings.add(CheckId::ConnectionStorm, || {
            let who = match host.checked_sub(self.plan.nodes.len() as u32) {
                None => self.plan.node_name(NodeId(host as u16)).to_owned(),
                Some(_) => "The client".to_owned(),
            };
            let why = format!(
                "{who} opened {} connections within {}; {} in {} are allowed.",
                config.max_opened + 1,
                now.since(first),
                config.max_opened,
                config.within
            );
            let mut found = Found::of_nodes(CheckId::ConnectionStorm, now, why);
            found.client = host.checked_sub(self.plan.nodes.len() as u32).map(ClientId);
            found
        });
    }
}
