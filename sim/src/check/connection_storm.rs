//! `connection-storm`: one client or node opens too many connections in an interval.

use std::sync::Arc;

use super::rush::Rush;
use super::{CheckId, Findings, Found};
use crate::client::ClientId;
use crate::engine::Time;
use crate::net::HostId;
use crate::scenario::Plan;
use crate::trace::{Event, Record};
use crate::valkey::NodeId;

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
        if let Event::Dialled { from, .. } = record.event {
            self.opened(from.0, record.at, findings);
        }
    }

    fn opened(&mut self, host: u32, now: Time, findings: &mut Findings) {
        let config = &self.plan.checks.connection_storm;
        if !config.enabled {
            return;
        }
        let rush = &mut self.hosts[host as usize];
        let Some(took) = rush.another(now, config.max_opened, config.within) else {
            return;
        };
        findings.add(CheckId::ConnectionStorm, || {
            let sentinel = self.plan.sentinel_host() == Some(HostId(host));
            let client = host
                .checked_sub(self.plan.nodes.len() as u32)
                .filter(|_| !sentinel)
                .map(ClientId);
            let who = match client {
                Some(_) => "The client".to_owned(),
                None if sentinel => "Sentinel".to_owned(),
                None => self.plan.node_name(NodeId(host as u16)).to_owned(),
            };
            let why = format!(
                "{who} opened {} connections within {took}; {} in {} are allowed.",
                config.max_opened + 1,
                config.max_opened,
                config.within
            );
            let mut found = Found::of_nodes(CheckId::ConnectionStorm, now, why);
            found.client = client;
            found
        });
    }
}
