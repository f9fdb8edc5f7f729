//! Diagrams of runs: in the terminal, as Mermaid, as pictures.

use crate::program::{CLEAN, Lab, SLOW};

/// A run in which a client bounces, from shortly before the failover until it is over.
const BOUNCING: [&str; 11] = [
    "replay",
    SLOW,
    "--seed",
    "1",
    "--client",
    "readers/1",
    "--from",
    "999ms",
    "--until",
    "3320ms",
    "--diagram",
];

const DRAWN: &str = include_str!("diagrams/issue-821.txt");
const DRAWN_IN_ASCII: &str = include_str!("diagrams/issue-821-ascii.txt");

/// Names the first line that differs.
fn assert_drawn(found: &str, expected: &str) {
    for (index, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", index + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

#[test]
fn a_diagram_is_drawn_as_it_was_looked_at() {
    let lab = Lab::new();
    let drawn = lab.run(&BOUNCING);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (1, ""));
    assert_drawn(&drawn.stdout, DRAWN);
    let ascii = lab.run(&[&BOUNCING[..], &["--ascii", "--width", "72"]].concat());
    assert_drawn(&ascii.stdout, DRAWN_IN_ASCII);
    assert!(ascii.stdout.is_ascii());
}

#[test]
fn no_line_is_wider_than_it_may_be() {
    let lab = Lab::new();
    for width in [50, 64, 80, 133, 200] {
        let width = width.to_string();
        let drawn = lab.run(&[&BOUNCING[..], &["--width", &width]].concat());
        assert_eq!(drawn.code, 1, "{}", drawn.stderr);
        let widest = drawn.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= width.parse().ok(), "{width}: {widest:?}");
        assert!(drawn.stdout.contains("BOUNCE"), "{width}");
    }
}

#[test]
fn too_little_room_is_refused_with_what_is_needed() {
    let lab = Lab::new();
    let refused = lab.run(&[&BOUNCING[..], &["--width", "30"]].concat());
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let (before, after) = refused.stderr.split_once("with --width ").expect("advice");
    assert!(
        before.contains("has 30: it shows old, readers/1, new"),
        "{before}"
    );
    let drawn = lab.run(&[&BOUNCING[..], &["--width", after.trim()]].concat());
    assert_eq!((drawn.code, drawn.stderr.as_str()), (1, ""));
}

#[test]
fn colours_are_for_who_wants_them() {
    let lab = Lab::new();
    let plain = lab.run(&BOUNCING).stdout;
    assert!(!plain.contains('\x1b'));
    let painted = lab
        .run(&[&BOUNCING[..], &["--color", "always"]].concat())
        .stdout;
    assert!(painted.contains("\x1b[1;31m"));
    let mut bare = String::new();
    let mut pieces = painted.split('\x1b');
    bare.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        bare.push_str(piece.split_once('m').map_or("", |(_, text)| text));
    }
    assert_drawn(&bare, &plain);
}

#[test]
fn a_clean_run_shows_a_client_that_was_redirected() {
    let lab = Lab::new();
    let drawn = lab.run(&["replay", CLEAN, "--seed", "1", "--diagram"]);
    assert_eq!((drawn.code, drawn.stderr.as_str()), (0, ""));
    assert!(
        drawn.stdout.contains("redirect 1 to new"),
        "{}",
        drawn.stdout
    );
    assert!(drawn.stdout.contains("holds "), "{}", drawn.stdout);
}

#[test]
fn rows_are_limited() {
    let lab = Lab::new();
    let drawn = lab.run(&[&BOUNCING[..], &["--limit", "5", "--quiet"]].concat());
    assert!(
        drawn.stdout.contains("more rows left out"),
        "{}",
        drawn.stdout
    );
    assert!(!drawn.stdout.contains("BOUNCE"), "{}", drawn.stdout);
}

#[test]
fn a_picture_is_a_whole_document() {
    let lab = Lab::new();
    let drawn = lab.run(&[&BOUNCING[..], &["--format", "svg"]].concat());
    assert_eq!((drawn.code, drawn.stderr.as_str()), (1, ""));
    let picture = roxmltree::Document::parse(&drawn.stdout).expect("well-formed");
    let root = picture.root_element();
    assert_eq!(
        root.tag_name().namespace(),
        Some("http://www.w3.org/2000/svg")
    );
    let texts = |class: &str| {
        let all = picture
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
        let own = all.filter(|node| {
            node.attribute("class")
                .is_some_and(|own| own.contains(class))
        });
        own.filter_map(|node| node.text())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts("t-bounce"),
        [
            "BOUNCE 2 to old",
            "BOUNCE 3 to new",
            "BOUNCE 4 to old",
            "BOUNCE 6837 to new"
        ]
    );
    assert!(
        texts("t-fold")
            .concat()
            .contains("6,830 more redirects back and forth")
    );
    // Nothing but the picture itself is needed to look at it.
    for node in picture.descendants() {
        for attribute in node.attributes() {
            assert!(!matches!(attribute.name(), "href" | "src"), "{attribute:?}");
        }
    }
    assert!(!drawn.stdout.contains("url(") && !drawn.stdout.contains("@import"));
    // Every text lies within the picture.
    let width: f64 = root
        .attribute("width")
        .and_then(|w| w.parse().ok())
        .expect("a width");
    for node in picture.descendants() {
        if let Some(x) = node.attribute("x").and_then(|x| x.parse::<f64>().ok()) {
            assert!((0.0..=width).contains(&x), "{node:?}");
        }
    }
}

#[test]
fn mermaid_is_short_enough_for_github() {
    let lab = Lab::new();
    let drawn = lab.run(&[&BOUNCING[..], &["--format", "mermaid"]].concat());
    assert!(drawn.stdout.starts_with("sequenceDiagram\n"));
    assert!(
        drawn
            .stdout
            .contains("p2-->>p1: 1.315445s BOUNCE 2 to old\n"),
        "{}",
        drawn.stdout
    );
    let all = lab.run(&[
        "replay",
        SLOW,
        "--seed",
        "1",
        "--client",
        "readers/1",
        "--all",
        "--format",
        "mermaid",
    ]);
    assert!(all.stdout.chars().count() <= 50_000);
    let last = all.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("more rows left out"), "{last}");
    // Nothing that Mermaid would take for its own.
    for line in all.stdout.lines().skip(1) {
        let said = line.split_once(':').map_or("", |(_, said)| said);
        let rest = said
            .replace("#35;", "")
            .replace("#59;", "")
            .replace("#lt;", "");
        assert!(!rest.contains(['#', ';', '<']), "{line}");
    }
}

#[test]
fn diagrams_are_the_same_every_time() {
    let lab = Lab::new();
    for format in ["text", "mermaid", "svg"] {
        let arguments = [&BOUNCING[..], &["--format", format]].concat();
        assert_eq!(
            lab.run(&arguments).stdout,
            lab.run(&arguments).stdout,
            "{format}"
        );
    }
}

#[test]
fn other_commands_refuse_to_draw() {
    let lab = Lab::new();
    for (command, format) in [
        (&["run", CLEAN][..], "svg"),
        (&["sweep", CLEAN, "--seeds", "0..1"], "mermaid"),
        (&["behaviours"], "svg"),
        (&["schema", "run"], "svg"),
    ] {
        let refused = lab.run(&[command, &["--format", format]].concat());
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (2, ""),
            "{command:?}"
        );
        let said = format!("`rebound {}` has no --format {format}", command[0]);
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("`rebound replay`"),
            "{}",
            refused.stderr
        );
    }
    let json = lab.run(&[&BOUNCING[..], &["--format", "json"]].concat());
    assert_eq!((json.code, json.stdout.as_str()), (2, ""));
    assert!(
        json.stderr.contains("--diagram has no JSON"),
        "{}",
        json.stderr
    );
    let width = lab.run(&["replay", CLEAN, "--seed", "1", "--width", "80"]);
    assert_eq!(width.code, 2);
    assert!(width.stderr.contains("--diagram"), "{}", width.stderr);
}

#[test]
fn a_sweep_ends_with_a_histogram_of_the_longest_chains() {
    let lab = Lab::new();
    let swept = lab.run(&["sweep", CLEAN, "--seeds", "0..10"]).stdout;
    let (_, histogram) = swept
        .split_once("the longest chain of each seed\n")
        .expect("one");
    assert!(histogram.contains(" 1     10    100%  █"), "{histogram}");
    assert!(
        histogram.lines().all(|line| line.chars().count() <= 80),
        "{histogram}"
    );
    let quiet = lab
        .run(&["sweep", CLEAN, "--seeds", "0..10", "--quiet"])
        .stdout;
    assert!(!quiet.contains('█'), "{quiet}");
    let (_, report) = lab.json(&["sweep", SLOW, "--seeds", "0..3"]);
    let seeds = report["longest_chains"].as_array().expect("lengths").iter();
    let seeds: u64 = seeds.filter_map(|lengths| lengths["seeds"].as_u64()).sum();
    assert_eq!(seeds, 3);
}
