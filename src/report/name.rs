//! What a page's file is called if nobody says: after what it is of, so that pages of different
//! things do not replace each other.

use super::document::Document;

/// The longest name, in characters, without its ending.
const LONGEST: usize = 120;

/// A file's name without its ending.
pub fn of(document: &Document) -> String {
    let name = match document {
        Document::Run(run) => {
            let run = &run.report;
            format!("{}-{}-seed-{}", run.scenario, run.behaviour, run.seed)
        }
        Document::Sweep(sweep) => format!(
            "{}-{}-seeds-{}-{}",
            sweep.scenario, sweep.behaviour, sweep.seeds.from, sweep.seeds.to
        ),
        Document::Compare(compare) => {
            let of = match &compare.scenarios[..] {
                [one] => format!("{}-", one.scenario),
                _ => String::new(),
            };
            format!(
                "{of}comparison-seeds-{}-{}",
                compare.seeds.from, compare.seeds.to
            )
        }
        Document::Check(_) => "check".to_owned(),
    };
    plain(&name)
}

/// A name that is one file's in one folder everywhere, whatever a report calls its scenario.
fn plain(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "._+-".contains(c) => c,
            _ => '-',
        })
        .collect();
    match plain.trim_start_matches(['.', '-']) {
        "" => "report".to_owned(),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_elsewhere() {
        for (name, expected) in [
            (
                "handover-slow-8.0.1+epoch-seed-1",
                "handover-slow-8.0.1+epoch-seed-1",
            ),
            ("../../etc/passwd", "etc-passwd"),
            ("größe/1", "gr--e-1"),
            ("..", "report"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&"x".repeat(5_000)).len(), LONGEST);
    }
}
