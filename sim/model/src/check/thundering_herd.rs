//! `thundering-herd`: too many requests reach one node in an interval.

use std::sync::Arc;

use super::rush::Rush;
use super::{CheckId, Findings, Found};
use crate::engine::{Duration, Time};
use crate::scenario::Plan;
use crate::valkey::NodeId;

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    nodes: Vec<Rush>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        State {
            plan: plan.clone(),
            nodes: vec![Rush::default(); plan.nodes.len()],
        }
    }

    pub(super) fn reset(&mut self) {
        self.nodes.iter_mut().for_each(Rush::reset);
    }

    /// Whether the check wants to hear of requests, which are many.
    pub(super) fn enabled(&self) -> bool {
        self.plan.checks.thundering_herd.enabled
    }

    /// A node looked at a request. Call it only if the check is on.
    pub(super) fn request(&mut self, now: Time, node: NodeId, findings: &mut Findings) {
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
    use crate::check::testing::plan;

    /// What the check finds if requests reach nodes at these times, in microseconds.
    fn found(requests: &[(u64, u16)]) -> Vec<Found> {
        let plan =
            plan(r#"{"thundering-herd": {"enabled": true, "max_requests": 3, "within": "10us"}}"#);
        let mut state = State::new(&plan);
        let mut findings = Findings::default();
        for (at, node) in requests {
            state.request(
                Time::ZERO + Duration::micros(*at),
                NodeId(*node),
                &mut findings,
            );
        }
        findings.take()
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
        assert!(!State::new(&plan("{}")).enabled());
    }
}
