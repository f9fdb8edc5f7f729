//! `connection-storm`: one client or node opens too many connections in an interval.

use std::sync::Arc;

use super::rush::Rush;
use super::{CheckId, Findings, Found};
use crate::engine::Time;
use crate::net::{HostId, Note as NetNote};
use crate::scenario::Plan;
use crate::trace::{Event, Record};

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    hosts: Vec<Rush>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let hosts = plan.hosts() as usize;
        State {
            plan: plan.clone(),
            hosts: vec![Rush::default(); hosts],
        }
    }

    pub(super) fn reset(&mut self) {
        self.hosts.iter_mut().for_each(Rush::reset);
    }

    #[inline]
    pub(super) fn observe(&mut self, record: &Record, findings: &mut Findings) {
        if let Event::Net(NetNote::Dialled { from, .. }) = record.event {
            self.opened(from, record.at, findings);
        }
    }

    fn opened(&mut self, host: HostId, now: Time, findings: &mut Findings) {
        let config = &self.plan.checks.connection_storm;
        if !config.enabled {
            return;
        }
        let rush = &mut self.hosts[host.0 as usize];
        let Some(took) = rush.another(now, config.max_opened, config.within) else {
            return;
        };
        findings.add(CheckId::ConnectionStorm, || {
            let who = match self.plan.node_at(host) {
                Some(node) => self.plan.node_name(node),
                None if self.plan.sentinel_host() == Some(host) => "Sentinel",
                None => "The client",
            };
            let why = format!(
                "{who} opened {} connections within {took}; {} in {} are allowed.",
                config.max_opened + 1,
                config.max_opened,
                config.within
            );
            let mut found = Found::of_nodes(CheckId::ConnectionStorm, now, why);
            found.client = self.plan.client_at(host);
            found
        });
    }
}
