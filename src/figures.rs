//! Figures for people: grouped digits, rates, histograms, tables.

use std::collections::BTreeMap;

use rebound_engine::Duration;
use rebound_sim::results::{Bounces, ChainHop, Clients, Commands, Hops, Verdict, Writes};

use crate::output::{Output, Style};

/// `1234567` as `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Columns of text that reports keep to.
pub const WIDTH: usize = 100;

/// `text` broken into indented lines of at most [`WIDTH`] columns.
pub fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = indent.to_owned();
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line + "\n"
}

/// A rate with three digits: `12.3k`, `4.56M`.
pub fn rate(per_second: f64) -> String {
    let (scaled, unit) = match per_second {
        r if r >= 1e9 => (r / 1e9, "G"),
        r if r >= 1e6 => (r / 1e6, "M"),
        r if r >= 1e4 => (r / 1e3, "k"),
        r => (r, ""),
    };
    match scaled {
        s if s >= 100.0 => format!("{s:.0}{unit}"),
        s if s >= 10.0 => format!("{s:.1}{unit}"),
        s => format!("{s:.2}{unit}"),
    }
}

/// A time with three digits.
pub fn short_span(nanos: u64) -> String {
    let digits = nanos.max(1).ilog10();
    let step = 10_u64.pow(digits.saturating_sub(2));
    Duration((nanos.saturating_add(step / 2)) / step * step).to_string()
}

/// `2 clients`, `1 client`.
pub fn count(n: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A verdict in its colour.
pub fn verdict(out: &Output, verdict: Verdict) -> String {
    let style = match verdict {
        Verdict::Clean => Style::Good,
        Verdict::Flagged => Style::Bad,
        Verdict::Inconclusive => Style::Doubtful,
    };
    out.paint(style, verdict.name())
}

/// Columns in front of a summary's values.
const LABEL: usize = 15;

/// One aligned line of a summary.
pub fn row(label: &str, value: &str) -> String {
    format!("  {label:<width$}{value}\n", width = LABEL - 2)
}

/// An aligned entry of a summary whose value may be longer than a line.
pub fn long_row(label: &str, value: &str) -> String {
    let lines = wrapped(value, &" ".repeat(LABEL));
    row(label, lines.trim())
}

/// Commands by redirects on one line: bars on a logarithmic scale, then the figures.
pub fn histogram(hops: &Hops) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = hops.histogram.iter().max().copied().unwrap_or(0);
    let used = hops
        .histogram
        .iter()
        .rposition(|n| *n > 0)
        .map_or(0, |last| last + 1);
    let bar = |n: u64| match n {
        0 => ' ',
        n => {
            let scale = f64::from(u32::try_from(BARS.len() - 1).unwrap_or(0));
            let share = ((n + 1) as f64).ln() / ((most + 1) as f64).ln();
            BARS[(share * scale).round() as usize]
        }
    };
    let bars: String = hops.histogram[..used].iter().map(|n| bar(*n)).collect();
    let last = hops.histogram.len().saturating_sub(1);
    let figure = |place: usize| {
        let plus = if place == last && place > 0 { "+" } else { "" };
        format!("  {place}{plus}: {}", grouped(hops.histogram[place]))
    };
    let mut figures: Vec<String> = (0..used)
        .filter(|place| hops.histogram[*place] > 0)
        .map(figure)
        .collect();
    // The bars show what has no room among the figures.
    let room = WIDTH - LABEL - used - 2;
    let width = |figures: &[String]| -> usize { figures.iter().map(String::len).sum() };
    if width(&figures) > room {
        while figures.len() > 2 && width(&figures) + 3 > room {
            figures.remove(figures.len() - 2);
        }
        figures.insert(figures.len() - 1, "  …".to_owned());
    }
    format!("▕{bars}▏{}", figures.concat())
}

/// `1 of 35 flagged (2.9%)`
pub fn flagged_clients(clients: &Clients) -> String {
    format!(
        "{} of {} flagged ({})",
        grouped(clients.flagged),
        grouped(clients.total),
        share(clients.flagged, clients.total)
    )
}

/// What became of commands.
pub fn commands(commands: &Commands) -> String {
    format!(
        "{} issued, {} served, {} failed, {} unfinished",
        grouped(commands.issued),
        grouped(commands.served),
        grouped(commands.failed),
        grouped(commands.unfinished)
    )
}

/// Writes that did not go as they should.
pub fn writes(writes: &Writes) -> String {
    format!(
        "{} lost, {} executed twice",
        grouped(writes.lost),
        grouped(writes.duplicated)
    )
}

/// Redirects, in figures.
pub fn redirects(hops: &Hops, bounces: &Bounces) -> String {
    format!(
        "{}, the longest chain {}; {}, at most {} for one command",
        count(hops.total, "hop"),
        grouped(hops.max_chain),
        count(bounces.total, "bounce"),
        grouped(bounces.max)
    )
}

/// `12.3%`; a share above zero is never printed as zero, nor one below 100 % as 100 %.
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".to_owned();
    }
    if part == whole {
        return "100%".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.01 {
        "<0.01%".to_owned()
    } else if percent < 1.0 {
        format!("{percent:.2}%")
    } else {
        format!("{:.1}%", percent.min(99.9))
    }
}

/// `READONLY 3, UNBLOCKED 1`, most frequent first.
pub fn counts(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let each: Vec<_> = sorted
        .into_iter()
        .map(|(name, n)| format!("{name} {}", grouped(*n)))
        .collect();
    each.join(", ")
}

/// `1.204113s`
pub fn instant(at_ns: u64) -> String {
    rebound_engine::Time(at_ns).to_string()
}

/// Hops of a long chain that are shown at its beginning, and at its end.
const SHOWN: (usize, usize) = (6, 3);

/// A chain of redirects as a small table; the middle of a long one is left out.
pub fn chain(out: &Output, hops: &[ChainHop]) -> String {
    let node = hops
        .iter()
        .map(|hop| hop.node.chars().count())
        .max()
        .unwrap_or(0);
    let to = hops
        .iter()
        .map(|hop| hop.to.chars().count())
        .max()
        .unwrap_or(0);
    let line = |hop: &ChainHop| {
        let mark = if hop.bounce {
            out.paint(Style::Bad, "BOUNCE")
        } else {
            "      ".to_owned()
        };
        let via = match &hop.via {
            Some(via) => format!("{via:<11}  "),
            None => String::new(),
        };
        format!(
            "    {:>12}  {:<node$} → {:<to$}  {via}{mark}  {}\n",
            instant(hop.at_ns),
            hop.node,
            hop.to,
            hop.belief
        )
    };
    let (head, tail) = SHOWN;
    if hops.len() <= head + tail + 1 {
        return hops.iter().map(line).collect();
    }
    let between = hops.len() - head - tail;
    let mut text: String = hops[..head].iter().map(line).collect();
    let between = grouped(between as u64);
    text.push_str(&format!("    {:>12}  {between} more hops\n", "…"));
    text.extend(hops[hops.len() - tail..].iter().map(line));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn rates_have_three_digits() {
        for (n, text) in [
            (3.17, "3.17"),
            (950.4, "950"),
            (12_345.0, "12.3k"),
            (4.56e6, "4.56M"),
        ] {
            assert_eq!(rate(n), text);
        }
    }

    #[test]
    fn shares_are_never_rounded_to_none_or_all() {
        for (part, whole, text) in [
            (0, 0, "0%"),
            (0, 5, "0%"),
            (1, 100_000, "<0.01%"),
            (5, 1_000, "0.50%"),
            (1, 3, "33.3%"),
            (99_999, 100_000, "99.9%"),
            (7, 7, "100%"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn a_long_histogram_fits_its_line() {
        let hops = Hops {
            total: 0,
            max_chain: 40,
            histogram: vec![1_000_000; 33],
        };
        let text = histogram(&hops);
        assert!(text.chars().count() <= WIDTH - LABEL, "{text}");
        assert!(text.ends_with("  …  32+: 1,000,000"), "{text}");
    }

    #[test]
    fn a_histogram_shows_what_there_is() {
        let hops = Hops {
            total: 9,
            max_chain: 3,
            histogram: vec![100, 0, 1, 7],
        };
        assert_eq!(histogram(&hops), "▕█ ▂▄▏  0: 100  2: 1  3+: 7");
        assert_eq!(histogram(&Hops::default()), "▕▏");
    }
}
