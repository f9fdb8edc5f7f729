//! Command lines that repeat a run.

use super::Plan;
use crate::valkey::Behaviour;

/// The command that tells the story of a run.
pub fn replay_command(plan: &Plan, behaviour: &Behaviour, seed: u64) -> String {
    format!(
        "rebound replay {} --seed {seed} --behaviour {}",
        shell_word(&plan.path),
        shell_word(behaviour.name)
    )
}

/// `text` as one word of a shell's command line.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        // A line break in a name must not become one in the output, which others read by lines.
        let escaped: String = text.chars().map(escaped).collect();
        format!("$'{escaped}'")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A character between `$'` and `'`.
fn escaped(char: char) -> String {
    match char {
        '\\' | '\'' => format!("\\{char}"),
        char if char.is_control() => {
            let mut bytes = [0; 4];
            let bytes = char.encode_utf8(&mut bytes).bytes();
            bytes.map(|byte| format!("\\{byte:03o}")).collect()
        }
        char => char.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell_are_quoted_where_they_must_be() {
        assert_eq!(shell_word("a\nb'\\\u{85}1"), r"$'a\012b\'\\\302\2051'");
        assert_eq!(shell_word("scenarios/a-b.json"), "scenarios/a-b.json");
        assert_eq!(shell_word("my file.json"), "'my file.json'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
