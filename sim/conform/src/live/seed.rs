//! One run of the model, driven on real servers: its faults become steps of the timeline.

use std::sync::Arc;

use rebound_engine::Duration;
use rebound_sim::scenario::{
    Action, Drivability, Faults, Occasion, Plan, TimelineItem, undrivable,
};
use rebound_sim::world::drawn_faults;

/// The plan of what this seed's run does: what it draws of the faults stands in the timeline. What
/// cannot be driven is left out, and said.
pub fn fixed(plan: &Arc<Plan>, seed: u64) -> (Arc<Plan>, Vec<Drivability>) {
    let mut fixed = Plan::clone(plan);
    let cannot = undrivable(plan);
    let mut left_out = Vec::new();
    let drawn = drawn_faults(plan, seed);
    for (place, (spec, drawn)) in plan.faults.specs.iter().zip(drawn).enumerate() {
        if !drawn.happens {
            continue;
        }
        let name = format!("faults.may[{place}]");
        if let Some(step) = cannot.iter().find(|step| step.place == name) {
            left_out.push(Drivability {
                place: format!(
                    "{name}, at {} for {}",
                    Duration(drawn.begins.0),
                    drawn.lasts
                ),
                why: step.why.clone(),
            });
            continue;
        }
        fixed.timeline.push(TimelineItem {
            occasion: Occasion::At(drawn.begins),
            after: Duration::ZERO,
            action: lasting(&spec.action, drawn.lasts),
        });
    }
    fixed.faults = Faults::default();
    (Arc::new(fixed), left_out)
}

/// The same action, of another length.
fn lasting(action: &Action, lasts: Duration) -> Action {
    match action.clone() {
        Action::Paths(paths, fault, _) => Action::Paths(paths, fault, lasts),
        Action::Pause(node, _) => Action::Pause(node, lasts),
        Action::Refuse(node, _) => Action::Refuse(node, lasts),
        Action::Slow(node, factor, _) => Action::Slow(node, factor, lasts),
        Action::Crash(node, Some(_)) => Action::Crash(node, Some(lasts)),
        Action::HostDown(node, _) => Action::HostDown(node, lasts),
        other @ (Action::Operator(..)
        | Action::Sentinel(_)
        | Action::Reset(_)
        | Action::Crash(_, None)
        | Action::Restart(_)) => other,
    }
}
