//! `connection-storm`: one client or node opens too many connections in an interval.

use std::sync::Arc;

use super::rush::Rush;
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};

/// The check.
pub(super) struct ConnectionStorm {
    plan: Arc<Plan>,
    hosts: Vec<Rush>,
}

impl Check for ConnectionStorm {
    const LISTENS: Topics = Topics::of(&[Topic::Dialled]);

    fn new(plan: &Arc<Plan>) -> ConnectionStorm {
        let hosts = plan.hosts() as usize;
        ConnectionStorm {
            plan: plan.clone(),
            hosts: vec![Rush::default(); hosts],
        }
    }

    fn reset(&mut self) {
        self.hosts.iter_mut().for_each(Rush::reset);
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, findings: &mut Findings) {
        if let Event::Net(NetNote::Dialled { from, .. }) = *event {
            self.opened(from, now, findings);
        }
    }
}

impl ConnectionStorm {
    fn opened(&mut self, host: HostId, now: Time, findings: &mut Findings) {
        let config = &self.plan.checks.connection_storm;
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
