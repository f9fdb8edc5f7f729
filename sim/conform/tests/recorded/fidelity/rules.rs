//! The rules of the model as `docs/model.md` has them: the rows of its tables whose last column
//! says where the model is simpler than the original.

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The heading that it stands under.
    pub section: String,
    /// What the rule is.
    pub rule: String,
    /// The function, version and line of Valkey that it follows.
    pub source: String,
    /// Where the model is simpler, and what that can hide; empty if it is not.
    pub simplification: String,
}

/// The rules of the page, in its order.
pub fn of(page: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut section = String::new();
    let mut in_table = false;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ").or(line.strip_prefix("### ")) {
            section = heading.to_owned();
        }
        let Some(cells) = cells(line) else {
            in_table = false;
            continue;
        };
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if is_head {
            in_table = cells
                .last()
                .is_some_and(|c| c.starts_with("simplification"));
            lines.next();
        } else if in_table {
            let cell = |place: usize| cells.get(place).map_or("", |cell| *cell).to_owned();
            rules.push(Rule {
                section: section.clone(),
                rule: cell(0),
                source: cell(1),
                simplification: cell(cells.len() - 1),
            });
        }
    }
    rules
}

/// The cells of a table's line.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = Vec::new();
    let mut start = 0;
    let mut in_code = false;
    for (place, letter) in inner.char_indices() {
        match letter {
            '`' => in_code = !in_code,
            '|' if !in_code => {
                cells.push(inner[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    cells.push(inner[start..].trim());
    Some(cells)
}

#[test]
fn rows_of_tables_about_simplifications_are_rules() {
    let page = "## Turns\n\
        | rule | Valkey | simplification, and what it can hide |\n\
        |---|---|---|\n\
        | say `+OK|+PONG` | f, a.c:1 | |\n\
        text\n\
        | a | b |\n|---|---|\n| no | rule |\n";
    let [rule] = of(page).try_into().expect("one rule");
    assert_eq!(rule.section, "Turns");
    assert_eq!(rule.rule, "say `+OK|+PONG`");
    assert_eq!(rule.source, "f, a.c:1");
    assert_eq!(rule.simplification, "");
}
