//! `thundering-herd`: too many requests reach one node in an interval.

use std::sync::Arc;

use super::rush::Rush;
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{NodeId, Note as NodeNote};
use rebound_engine::{Duration, Time};

/// The check.
pub(super) struct ThunderingHerd {
    plan: Arc<Plan>,
    nodes: Vec<Rush>,
}

impl Check for ThunderingHerd {
    const LISTENS: Topics = Topics::of(&[Topic::Gate]);

    fn new(plan: &Arc<Plan>) -> ThunderingHerd {
        ThunderingHerd {
            plan: plan.clone(),
            nodes: vec![Rush::default(); plan.nodes.len()],
        }
    }

    fn reset(&mut self) {
        self.nodes.iter_mut().for_each(Rush::reset);
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, findings: &mut Findings) {
        if let Event::Node(node, NodeNote::Gate { .. }) = event {
            self.request(now, *node, findings);
        }
    }
}

impl ThunderingHerd {
    fn request(&mut self, now: Time, node: NodeId, findings: &mut Findings) {
        let config = &self.plan.checks.thundering_herd;
        let rush = &mut self.nodes[usize::from(node.0)];
        let Some(took) = rush.another(now, config.max_requests, config.within) else {
            return;
        };
        findings.add(CheckId::ThunderingHerd, || {
            let took = match took {
                Duration::ZERO => "at one instant".to_owned(),
                took => format!("within {took}"),
            };
            let why = format!(
                "{} looked at {} requests {took}; {} in {} are allowed.",
                self.plan.node_name(node),
                u64::from(config.max_requests) + 1,
                config.max_requests,
                config.within
            );
            Found::of_nodes(CheckId::ThunderingHerd, now, why)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Checks;
    use crate::check::testing::{gate, plan};
    use crate::valkey::GateVerdict;

    /// What the check finds if requests reach nodes at these times, in microseconds.
    fn found(requests: &[(u64, u16)]) -> Vec<Found> {
        found_by(
            r#"{"thundering-herd": {"enabled": true, "max_requests": 3, "within": "10us"}}"#,
            requests,
        )
    }

    fn found_by(configured: &str, requests: &[(u64, u16)]) -> Vec<Found> {
        let mut checks = Checks::new(&plan(configured), |_| true);
        for (at, node) in requests {
            let at = Time::ZERO + Duration::micros(*at);
            checks.observe(at, &gate(*node, GateVerdict::Passed));
        }
        checks.take_found()
    }

    #[test]
    fn as_many_as_allowed_are_no_herd() {
        assert_eq!(found(&[(0, 0), (0, 0), (0, 0)]), []);
    }

    #[test]
    fn one_more_within_the_interval_is() {
        let found = found(&[(0, 0), (4, 0), (5, 0), (9, 0)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, Time::ZERO + Duration::micros(9));
        assert_eq!(
            found[0].why,
            "old looked at 4 requests within 9us; 3 in 10us are allowed."
        );
    }

    #[test]
    fn all_at_once_is_said_so() {
        let found = found(&[(5, 0); 4]);
        assert!(
            found[0]
                .why
                .starts_with("old looked at 4 requests at one instant;")
        );
    }

    #[test]
    fn the_interval_slides() {
        // Four in ten microseconds, though no interval that begins at a multiple of ten has them.
        assert_eq!(found(&[(0, 0), (8, 0), (9, 0), (11, 0), (17, 0)]).len(), 1);
        assert_eq!(found(&[(0, 0), (8, 0), (9, 0), (11, 0), (18, 0)]), []);
    }

    #[test]
    fn nodes_are_counted_apart_and_reported_once() {
        assert_eq!(found(&[(0, 0), (1, 1), (2, 0), (3, 1)]), []);
        let many: Vec<_> = (0..40).map(|at| (at / 2, at as u16 % 2)).collect();
        assert_eq!(found(&many).len(), 2);
    }

    #[test]
    fn it_is_off_unless_turned_on() {
        assert_eq!(found_by("{}", &[(0, 0); 2_000]), []);
    }
}
