//! The timeline: what surely happens, at a time or when something is the case.

use super::{Event, Pending, Session};
use crate::scenario::{Action, Occasion, Trigger};
use crate::sentinel::Input;
use crate::trace::Sink;
use rebound_engine::Time;

/// An item that waits for its occasion.
#[derive(Copy, Clone, Debug)]
pub(super) struct Waiting {
    pub(super) item: u16,
    pub(super) trigger: Trigger,
    pub(super) not_before: Time,
}

impl<S: Sink> Session<'_, S> {
    /// Puts the timeline on the agenda.
    pub(super) fn plan_timeline(&mut self, agenda: &mut Pending) {
        self.state.waiting.clear();
        for (index, item) in self.state.plan.timeline.iter().enumerate() {
            let index = index as u16;
            match item.occasion {
                Occasion::At(at) => agenda.schedule(at + item.after, Event::Timeline(index).into()),
                Occasion::When {
                    trigger,
                    not_before,
                } => {
                    self.state.waiting.push(Waiting {
                        item: index,
                        trigger,
                        not_before,
                    });
                }
            }
        }
    }

    /// Something that may be waited for is the case. An item without a delay happens before
    /// anything else does.
    pub(super) fn trigger(&mut self, trigger: Trigger, agenda: &mut Pending) {
        let now = agenda.now();
        while let Some(index) = self
            .state
            .waiting
            .iter()
            .position(|waiting| waiting.trigger == trigger && waiting.not_before <= now)
        {
            let item = self.state.waiting.remove(index).item;
            let after = self.state.plan.timeline[usize::from(item)].after;
            if after.0 == 0 {
                self.timeline_item(item, agenda);
            } else {
                agenda.schedule(now + after, Event::Timeline(item).into());
            }
        }
    }

    /// An item of the timeline happens.
    pub(super) fn timeline_item(&mut self, item: u16, agenda: &mut Pending) {
        let plan = self.state.plan.clone();
        let action = &plan.timeline[usize::from(item)].action;
        // Operators and Sentinel work on when everything has healed.
        if let Action::Operator(node, commands) = action {
            for command in commands {
                self.operator(*node, *command, agenda);
            }
        } else if let Action::Sentinel(way) = action {
            self.sentinel_input(Input::Failover(*way), agenda);
        } else {
            self.begin_fault(action, None, agenda);
        }
    }
}
