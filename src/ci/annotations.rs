//! GitHub's annotations: workflow commands such as `::error file=a.json,line=3,title=…::…`.
//!
//! The runner reads them from both standard streams.

use super::checked::{Case, Checked};
use super::plain::plain;
use super::rule::{Level, Rule};

/// Annotations of one kind that GitHub shows for a step; what follows is dropped in silence.
const SHOWN: usize = 10;

/// All annotations, a line each: of a kind at most as many as are shown, the last of which then
/// counts the others.
pub fn lines(checked: &Checked) -> String {
    [Level::Error, Level::Warning]
        .into_iter()
        .map(|level| of_level(checked, level))
        .collect()
}

fn of_level(checked: &Checked, level: Level) -> String {
    let kind = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let problems = checked.problems();
    let cases: Vec<_> = problems.filter(|(rule, _)| rule.level() == level).collect();
    let told = match cases.len() {
        all if all <= SHOWN => all,
        _ => SHOWN - 1,
    };
    let mut lines: String = (cases.iter().take(told))
        .map(|(rule, case)| annotation(kind, *rule, case))
        .collect();
    let more = cases.len() - told;
    if more > 0 {
        let title = property(checked.command);
        lines.push_str(&format!(
            "::{kind} title={title}::{more} more of {} are not shown here: see the log\n",
            cases.len()
        ));
    }
    lines
}

fn annotation(kind: &str, rule: Rule, case: &Case) -> String {
    let mut properties = format!("file={}", property(&case.place.file));
    if let Some((line, column)) = case.place.position {
        properties.push_str(&format!(",line={line},col={column}"));
    }
    let title = property(&plain(&format!("{}: {}", rule.id(), case.whereabouts())));
    let mut message = vec![case.message()];
    message.extend(case.further());
    format!(
        "::{kind} {properties},title={title}::{}\n",
        escaped(&message.join("\n"))
    )
}

/// Text after the second `::`.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which `:` and `,` would end.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::checked::{Ending, Subject};
    use crate::ci::place::Place;

    fn failed(file: &str, ending: Ending) -> Case {
        let place = Place {
            file: file.to_owned(),
            position: Some((3, 5)),
        };
        Case {
            ending,
            behaviour: Some("8.0.1".to_owned()),
            expected: "100% clean".to_owned(),
            ..Case::broken(Subject::Expectation, place, "a, b: c".to_owned())
        }
    }

    #[test]
    fn values_and_messages_are_escaped() {
        let mut checked = Checked::new("rebound check", ".");
        let file = "s/a,b:c%\n::error::x.json";
        checked.cases.push(failed(file, Ending::Failed));
        assert_eq!(
            lines(&checked),
            "::error file=s/a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax.json,line=3,col=5,\
             title=expectation%3A s/a%2Cb%3Ac%25\\n%3A%3Aerror%3A%3Ax.json under 8.0.1::\
             expected 100%25 clean; found a, b: c\n"
        );
    }

    #[test]
    fn the_last_that_is_shown_counts_the_others() {
        let mut checked = Checked::new("rebound check", ".");
        for (count, lines_expected) in [(10, 10), (11, 10), (40, 10)] {
            checked.cases = vec![failed("a.json", Ending::Failed); count];
            checked.cases.push(failed("a.json", Ending::Drifted));
            let text = lines(&checked);
            let errors = text.lines().filter(|line| line.starts_with("::error "));
            assert_eq!(errors.count(), lines_expected);
            let warnings = text.lines().filter(|line| line.starts_with("::warning "));
            assert_eq!(warnings.count(), 1);
            let more = format!("::{} more of {count} are not shown", count - 9.min(count));
            assert_eq!(text.contains(&more), count > 10, "{text}");
        }
    }
}
