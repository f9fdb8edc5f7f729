//! What is said about a behaviour's name that is wrong: which part, why, and what would do.

use super::nearest::{hint, no_such, quoted};
use crate::valkey::{BEHAVIOURS, Behaviour, CombinationError, Remedy};

/// The behaviour of that name, alias or combination.
///
/// # Errors
/// A sentence that names the part which is wrong and what is valid instead.
pub fn behaviour_named(name: &str) -> Result<&'static Behaviour, String> {
    Behaviour::find(name).map_err(|error| in_words(name, &error))
}

fn in_words(name: &str, error: &CombinationError) -> String {
    let whole = quoted(name);
    let open_to = open_to(name, error);
    match error {
        CombinationError::Unknown(part) => {
            let names: Vec<&str> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
            let problem = no_such("behaviour", "behaviours", part, &names);
            if part == name {
                problem
            } else {
                format!("behaviour {whole}: {problem} before the remedies")
            }
        }
        CombinationError::UnknownRemedy(part) => {
            let names: Vec<&str> = Remedy::ALL.into_iter().map(Remedy::name).collect();
            let problem = no_such("remedy", "remedies", part, &names);
            format!("behaviour {whole}: {problem}")
        }
        CombinationError::Twice(remedy) => {
            let remedy = remedy.name();
            format!(
                "behaviour {whole} names \"{remedy}\" twice (or its name already includes it): {open_to}"
            )
        }
        CombinationError::Contradiction(one, other) => format!(
            "behaviour {whole}: \"{}\" and \"{}\" both say {}: {open_to}",
            one.name(),
            other.name(),
            one.axis().words()
        ),
        CombinationError::InBase(remedy, base) => format!(
            "behaviour {whole}: {} includes \"{}\": {open_to}",
            base.name(),
            remedy.name()
        ),
        CombinationError::ContradictsBase(remedy, there, base) => format!(
            "behaviour {whole}: \"{}\" and \"{}\", which {} includes, both say {}: {open_to}",
            remedy.name(),
            there.name(),
            base.name(),
            remedy.axis().words()
        ),
        CombinationError::NeedsCapa(remedy, base) => format!(
            "behaviour {whole}: \"{}\" is about redirects, and {} has no CLIENT CAPA redirect: \
             {open_to}",
            remedy.name(),
            base.name()
        ),
    }
}

/// What can stand in the place of the part that is wrong: the remedies that go with everything
/// before it.
fn open_to(name: &str, error: &CombinationError) -> String {
    let wrong = match error {
        CombinationError::Unknown(_) | CombinationError::UnknownRemedy(_) => return String::new(),
        CombinationError::Twice(remedy)
        | CombinationError::Contradiction(_, remedy)
        | CombinationError::InBase(remedy, _)
        | CombinationError::ContradictsBase(remedy, ..)
        | CombinationError::NeedsCapa(remedy, _) => remedy.name(),
    };
    // The part that is wrong is the first that makes the name wrong.
    let ends = name.match_indices('+').map(|(end, _)| end);
    let sound = ends
        .filter_map(|end| Behaviour::find(&name[..end]).ok())
        .next_back();
    let Some(sound) = sound else {
        return String::new();
    };
    let names: Vec<&str> = sound.open_to().into_iter().map(Remedy::name).collect();
    let hint = hint("remedies that can be added", wrong, &names);
    format!("expected another remedy behind \"{}\"{hint}", sound.name)
}

#[cfg(test)]
mod tests {
    use super::behaviour_named;

    #[test]
    fn each_mistake_says_what_is_valid_instead() {
        for (name, parts) in [
            ("8.0.2", &["no behaviour \"8.0.2\"", "\"8.0.1\""][..]),
            ("8.0.3+target-holds", &["before the remedies", "\"8.0.1\""]),
            (
                "8.0.1+target-hold",
                &["no remedy \"target-hold\"", "nearest: \"target-holds\""],
            ),
            ("8.0.1+", &["no remedy \"\"", "\"bounce-guard\""]),
            (
                "8.0.1+target-holds+target-holds",
                &["names \"target-holds\" twice", "\"idempotent-promotion\""],
            ),
            (
                "none+state-check+merged",
                &[
                    "\"state-check\" and \"merged\" both say what the redirect",
                    "\"pause-first\"",
                ],
            ),
            (
                "8.0.1+unblock-at-completion+redirect-at-completion",
                &[
                    "clients in a blocking command",
                    "behind \"unblock-at-completion\"",
                ],
            ),
            (
                "8.0.1+merged",
                &["8.0.1 includes \"merged\"", "\"target-holds\""],
            ),
            ("8.0.1+state-check", &["\"merged\", which 8.0.1 includes"]),
            (
                "7.2.7+epoch-redirect",
                &[
                    "7.2.7 has no CLIENT CAPA redirect",
                    "\"idempotent-promotion\"",
                ],
            ),
        ] {
            let error = behaviour_named(name).expect_err(name);
            for part in parts {
                assert!(error.contains(part), "{name}: {error}");
            }
        }
        let contradiction = behaviour_named("none+state-check+merged").expect_err("two");
        let valid = contradiction.split("can be added").nth(1).expect("a list");
        assert!(!valid.contains("\"merged\""), "{contradiction}");
    }
}
