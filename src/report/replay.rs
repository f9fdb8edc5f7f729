//! The command that tells the story of a seed, as a page shows it.

use rebound_sim::scenario::shell_word;

/// `rebound replay …`; a report of an earlier build does not say where its scenario was.
pub fn line(path: &str, scenario: &str, seed: &str, behaviour: &str) -> String {
    let file = if path.is_empty() {
        format!("{scenario}.json")
    } else {
        path.to_owned()
    };
    format!(
        "rebound replay {} --seed {} --behaviour {}",
        shell_word(&file),
        shell_word(seed),
        shell_word(behaviour)
    )
}
