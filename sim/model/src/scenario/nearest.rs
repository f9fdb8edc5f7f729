//! Names in messages: quoted, shortened, and with the nearest name that exists.

/// Lists of names up to this long are printed whole.
const SHORT_LIST: usize = 12;

/// Longest text that is repeated in a message, in characters.
const LONGEST_TEXT: usize = 80;

/// `text` in quotes, escaped, and shortened if it is long.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// The name among `names` that is nearest to `wanted`, if one is near enough to be meant.
pub fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let start: String = wanted.chars().take(LONGEST_TEXT).collect();
    let wanted = plain(&start);
    names
        .iter()
        .map(|name| {
            let name_plain = plain(name);
            let mut distance = strsim::damerau_levenshtein(&wanted, &name_plain);
            // A beginning of some length is meant for the whole, however long that is.
            if wanted.len() >= 3
                && (name_plain.starts_with(&wanted) || wanted.starts_with(&name_plain))
            {
                distance = distance.min(1);
            }
            (distance, *name)
        })
        .filter(|(distance, name)| *distance <= (wanted.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Case and the kind of dash make no difference to what is meant.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// `no node "odl" (nearest: "old"; nodes are "old", "new")`.
pub fn no_such(kind: &str, plural: &str, wanted: &str, names: &[&str]) -> String {
    format!(
        "no {kind} {}{}",
        quoted(wanted),
        hint(plural, wanted, names)
    )
}

/// ` (nearest: "old"; nodes are "old", "new")`, without what cannot be said.
pub fn hint(plural: &str, wanted: &str, names: &[&str]) -> String {
    let near = nearest(wanted, names).map(|name| format!("nearest: \"{name}\""));
    let list = (!names.is_empty() && names.len() <= SHORT_LIST).then(|| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("{plural} are {}", names.join(", "))
    });
    match (near, list) {
        (None, None) => String::new(),
        (Some(only), None) | (None, Some(only)) => format!(" ({only})"),
        (Some(near), Some(list)) => format!(" ({near}; {list})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_could_be_meant() {
        let names = ["failover-in-progress", "waiting-for-sync", "no-failover"];
        assert_eq!(nearest("no_failover", &names), Some("no-failover"));
        assert_eq!(nearest("waiting", &names), Some("waiting-for-sync"));
        assert_eq!(
            nearest("Failover-in-progres", &names),
            Some("failover-in-progress")
        );
        assert_eq!(nearest("quux", &names), None);
        assert_eq!(nearest("", &names), None);
    }

    #[test]
    fn long_texts_are_shortened() {
        assert!(quoted(&"x".repeat(1_000_000)).chars().count() < 100);
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
    }
}
