//! Behaviours by name: `BASE[+REMEDY…]`, read, checked, and kept so that one combination is one
//! behaviour for the whole process.

use std::sync::Mutex;

use super::behaviour::{BEHAVIOURS, Base, Behaviour};
use super::remedy::{Axis, Remedies, Remedy};

/// What is wrong with a behaviour's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CombinationError {
    /// The name, or what stands before the first `+`, is no behaviour's.
    Unknown(String),
    /// There is no such remedy.
    UnknownRemedy(String),
    /// A remedy is named twice.
    Twice(Remedy),
    /// Two remedies change the same rule.
    Contradiction(Remedy, Remedy),
    /// The version has the remedy in it.
    InBase(Remedy, Base),
    /// The version has another remedy for the same rule in it: the first is asked for, the second
    /// is there.
    ContradictsBase(Remedy, Remedy, Base),
    /// The remedy is about redirects, and the version has none.
    NeedsCapa(Remedy, Base),
}

/// The remedy for a rule that a version has in it.
const fn built_in(base: Base, axis: Axis) -> Option<Remedy> {
    match (base, axis) {
        (Base::V8_0_1 | Base::V8_1 | Base::V9_0 | Base::V9_1, Axis::WhileInProgress) => {
            Some(Remedy::Merged)
        }
        (Base::V9_0 | Base::V9_1, Axis::BlockedClients) => Some(Remedy::RedirectAtCompletion),
        (
            Base::V7_2_7 | Base::V8_0_0Rc1 | Base::V8_0_1 | Base::V8_1 | Base::V9_0 | Base::V9_1,
            _,
        ) => None,
    }
}

/// Adds a remedy to a behaviour's, if they go together.
fn joined(base: Base, remedies: Remedies, remedy: Remedy) -> Result<Remedies, CombinationError> {
    if remedies.has(remedy) {
        return Err(CombinationError::Twice(remedy));
    }
    if remedy.needs_capa() && !base.behaviour().capa {
        return Err(CombinationError::NeedsCapa(remedy, base));
    }
    match built_in(base, remedy.axis()) {
        Some(there) if there == remedy => return Err(CombinationError::InBase(remedy, base)),
        Some(there) => return Err(CombinationError::ContradictsBase(remedy, there, base)),
        None => {}
    }
    match remedies.iter().find(|other| other.axis() == remedy.axis()) {
        Some(other) => Err(CombinationError::Contradiction(other, remedy)),
        None => Ok(remedies.with(remedy)),
    }
}

/// Combinations that somebody has asked for and that have no name of their own.
static COMBINATIONS: Mutex<Vec<&'static Behaviour>> = Mutex::new(Vec::new());

/// The one behaviour of a combination that is in order.
fn interned(base: Base, remedies: Remedies) -> &'static Behaviour {
    let is = |known: &&Behaviour| known.base == base && known.remedies == remedies;
    if let Some(named) = BEHAVIOURS.iter().find(is) {
        return named;
    }
    // A panic elsewhere cannot have left the list half-written: it is only pushed to.
    let mut known = COMBINATIONS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = known.iter().copied().find(is) {
        return found;
    }
    let joined = |part: fn(Remedy) -> &'static str, between: &str| {
        remedies.iter().map(part).collect::<Vec<_>>().join(between)
    };
    // Kept for the life of the process, once for each of the few thousand sets.
    let keep = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let version = base.name();
    let rules = remedies
        .iter()
        .fold(base.behaviour(), |rules, remedy| rules.with(remedy));
    let made: &'static Behaviour = Box::leak(Box::new(Behaviour {
        name: keep(format!("{version}+{}", joined(Remedy::name, "+"))),
        aliases: &[],
        summary: keep(format!("{version}; {}", joined(Remedy::summary, "; "))),
        source: keep(format!(
            "{}; {}",
            rules.source,
            joined(Remedy::source, "; ")
        )),
        ..rules
    }));
    known.push(made);
    made
}

impl Behaviour {
    /// The behaviour of that name: one of [`BEHAVIOURS`] by name or alias, or one of them with
    /// remedies behind it, `8.0.1+target-holds+idempotent-promotion`, in any order. The same
    /// combination is always the same behaviour, however it is written.
    ///
    /// # Errors
    /// Which part of the name is wrong, and why.
    pub fn find(name: &str) -> Result<&'static Behaviour, CombinationError> {
        let is = |name: &str| {
            let known = |b: &&Behaviour| b.name == name || b.aliases.contains(&name);
            BEHAVIOURS.iter().find(known)
        };
        if let Some(known) = is(name) {
            return Ok(known);
        }
        let mut parts = name.split('+');
        let head = parts.next().unwrap_or_default();
        let start = is(head).ok_or_else(|| CombinationError::Unknown(head.to_owned()))?;
        let mut remedies = start.remedies;
        for part in parts {
            let remedy = Remedy::ALL.into_iter().find(|r| r.name() == part);
            let remedy = remedy.ok_or_else(|| CombinationError::UnknownRemedy(part.to_owned()))?;
            remedies = joined(start.base, remedies, remedy)?;
        }
        Ok(interned(start.base, remedies))
    }

    /// The behaviour of that name, if there is one: [`find`](Self::find) without the reason.
    pub fn named(name: &str) -> Option<&'static Behaviour> {
        Behaviour::find(name).ok()
    }

    /// The remedies that can be added to this one.
    pub fn open_to(&self) -> Vec<Remedy> {
        let fits = |remedy: &Remedy| joined(self.base, self.remedies, *remedy).is_ok();
        Remedy::ALL.into_iter().filter(fits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combination_is_one_behaviour_however_it_is_written() {
        let one = Behaviour::find("8.0.1+idempotent-promotion+target-holds").expect("in order");
        let other = Behaviour::find("8.0.0-rc2+target-holds+idempotent-promotion");
        assert!(std::ptr::eq(one, other.expect("in order")));
        assert_eq!(one.name, "8.0.1+target-holds+idempotent-promotion");
        let combined = Behaviour::find("none+pause-first+state-check").expect("in order");
        assert_eq!(combined.name, "combined");
        let more = Behaviour::find("combined+target-holds").expect("in order");
        assert_eq!(more.name, "8.0.0-rc1+state-check+pause-first+target-holds");
        assert_eq!(Behaviour::find(more.name).ok(), Some(more));
    }

    #[test]
    fn named_behaviours_are_what_their_aliases_spell() {
        for behaviour in BEHAVIOURS {
            let remedies: Vec<_> = behaviour.remedies.iter().map(Remedy::name).collect();
            let mut spelled = behaviour.base.name().to_owned();
            for remedy in remedies {
                spelled = format!("{spelled}+{remedy}");
            }
            let found = Behaviour::find(&spelled).expect("in order");
            assert!(std::ptr::eq(found, behaviour), "{spelled}");
        }
    }

    #[test]
    fn each_remedy_changes_a_rule_and_only_those_of_its_axis() {
        for base in Base::ALL {
            for remedy in base.behaviour().open_to() {
                let with = base.behaviour().with(remedy);
                let plain = base.behaviour();
                let changed = [
                    (
                        Axis::WhileInProgress,
                        with.while_in_progress != plain.while_in_progress,
                    ),
                    (Axis::Order, with.gates != plain.gates),
                    (
                        Axis::BlockedClients,
                        with.blocked_clients != plain.blocked_clients,
                    ),
                    (
                        Axis::FailoverTarget,
                        with.failover_target != plain.failover_target,
                    ),
                    (Axis::Demotion, with.demotion != plain.demotion),
                    (Axis::Promotion, with.promotion != plain.promotion),
                    (
                        Axis::RedirectEpoch,
                        with.redirect_epoch != plain.redirect_epoch,
                    ),
                    (Axis::ClientGuard, with.client_guard != plain.client_guard),
                ];
                for (axis, changed) in changed {
                    assert_eq!(changed, axis == remedy.axis(), "{remedy:?} on {base:?}");
                }
            }
        }
    }

    #[test]
    fn contradictions_are_told_apart() {
        use CombinationError::*;
        let error = |name: &str| Behaviour::find(name).expect_err(name);
        assert_eq!(error("8.0.2+merged"), Unknown("8.0.2".into()));
        assert_eq!(error("8.0.1+"), UnknownRemedy(String::new()));
        assert_eq!(error("8.0.1+hold"), UnknownRemedy("hold".into()));
        assert_eq!(
            error("8.0.1+target-holds+target-holds"),
            Twice(Remedy::TargetHolds)
        );
        assert_eq!(
            error("none+state-check+merged"),
            Contradiction(Remedy::StateCheck, Remedy::Merged)
        );
        assert_eq!(
            error("unblock-at-completion+redirect-at-completion"),
            Contradiction(Remedy::UnblockAtCompletion, Remedy::RedirectAtCompletion)
        );
        assert_eq!(error("8.0.1+merged"), InBase(Remedy::Merged, Base::V8_0_1));
        assert_eq!(
            error("8.0.1+state-check"),
            ContradictsBase(Remedy::StateCheck, Remedy::Merged, Base::V8_0_1)
        );
        assert_eq!(
            error("9.0+redirect-at-completion"),
            InBase(Remedy::RedirectAtCompletion, Base::V9_0)
        );
        assert_eq!(
            error("9.1.2+unblock-at-completion"),
            ContradictsBase(
                Remedy::UnblockAtCompletion,
                Remedy::RedirectAtCompletion,
                Base::V9_1
            )
        );
        assert!(Behaviour::find("8.1.8+redirect-at-completion").is_ok());
        assert!(Behaviour::find("9.1+target-holds+demote-when-connected").is_ok());
        assert_eq!(
            error("7.2.7+target-holds"),
            NeedsCapa(Remedy::TargetHolds, Base::V7_2_7)
        );
        assert!(Behaviour::find("7.2.7+pause-first+idempotent-promotion").is_ok());
    }
}
