//! `rebound compare`, through the real program.

use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CLEAN, Lab, SLOW};

const PAIR: [&str; 2] = ["--behaviours", "8.0.0-rc1,merged"];

#[test]
fn a_comparison_is_what_its_schema_says_and_the_same_for_any_number_of_threads() {
    let lab = Lab::new();
    let arguments = |jobs| {
        let fixed = ["compare", SLOW, CLEAN, "--seeds", "0..3"];
        [&fixed[..], &PAIR, &["--jobs", jobs]].concat()
    };
    let (code, one) = lab.json(&arguments("1"));
    assert_valid(&lab, "compare", &one);
    assert_eq!(code, 0, "a comparison judges nothing");
    let (_, two) = lab.json(&arguments("3"));
    assert_eq!(one, two);
    assert_eq!(one["schema"], "rebound.compare/1");
    assert_eq!(one["seeds"]["done"], 3);
    let slow = &one["scenarios"][0];
    assert_eq!(slow["scenario"], "handover-slow");
    let [first, merged] = [0, 1].map(|place| &slow["behaviours"][place]);
    assert_eq!(first["behaviour"], "8.0.0-rc1");
    assert_eq!(first["verdicts"]["flagged"], 3);
    assert_eq!(first["against_first"], Value::Null);
    assert_eq!(merged["verdicts"]["clean"], 3);
    assert_eq!(merged["against_first"]["flagged"]["mean"], -1.0);
    assert_eq!(merged["worst_seed"], Value::Null);
}

/// What a comparison says of a seed is what `run` says of it.
#[test]
fn figures_are_those_of_the_runs() {
    let lab = Lab::new();
    let arguments = ["compare", SLOW, "--seeds", "4..5"];
    let (_, report) = lab.json(&[&arguments[..], &PAIR].concat());
    for column in report["scenarios"][0]["behaviours"]
        .as_array()
        .expect("columns")
    {
        let name = column["behaviour"].as_str().expect("a name");
        let (_, run) = lab.json(&["run", SLOW, "--seed", "4", "--behaviour", name]);
        let figure = |name: &str| column["figures"][name]["max"].clone();
        assert_eq!(figure("redirects"), Value::Null, "no such figure");
        assert_eq!(figure("hops"), run["hops"]["total"], "{name}");
        assert_eq!(figure("bounces"), run["bounces"]["total"], "{name}");
        assert_eq!(figure("longest-chain"), run["hops"]["max_chain"], "{name}");
        assert_eq!(
            figure("flagged-clients"),
            run["clients"]["flagged"],
            "{name}"
        );
        assert_eq!(
            figure("connections-opened"),
            run["connections_opened"],
            "{name}"
        );
    }
}

#[test]
fn tables_are_laid_out_for_people_documents_and_spreadsheets() {
    let lab = Lab::new();
    let with = |layout| {
        let fixed = ["compare", SLOW, "--seeds", "0..2", "--table", layout];
        let ended = lab.run(&[&fixed[..], &PAIR].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{layout}");
        ended.stdout
    };
    let terminal = with("terminal");
    for part in [
        "handover-slow, seeds 0..2\n",
        "runs flagged",
        "Difference from 8.0.0-rc1\n",
        "-100.0%",
        "paired percentile bootstrap",
    ] {
        assert!(terminal.contains(part), "{part}: {terminal}");
    }
    let markdown = with("markdown");
    assert!(markdown.contains("\n|  | 8.0.0-rc1 | merged |\n|---|--:|--:|\n"));
    assert!(
        markdown.contains("\n| runs flagged | 100% | 0% |\n"),
        "{markdown}"
    );
    let csv = with("csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("scenario,behaviour,figure,statistic,value")
    );
    assert!(
        lines.clone().all(|line| line.split(',').count() == 5),
        "{csv}"
    );
    let flagged = "handover-slow,merged,flagged,difference,-1";
    assert!(lines.any(|line| line == flagged), "{csv}");
}
