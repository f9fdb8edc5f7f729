//! `rebound report` of a run: what is drawn, and what is said where nothing can be.

use crate::program::{CLEAN, Lab, SLOW};

const PAGE: &str = "reports/out/handover-slow-8.0.0-rc1-seed-1.html";

/// Whether a page has a picture of its run in it.
fn is_drawn(html: &str) -> bool {
    html.contains("id=\"canvas\"") && html.contains("{\"picture\":\"")
}

#[test]
fn a_run_is_drawn_from_its_scenario_and_from_its_json_alike() {
    let lab = Lab::new();
    let ended = lab.run(&["report", SLOW]);
    assert_eq!(
        (ended.code, ended.stdout),
        (0, format!("wrote {PAGE}\n")),
        "{}",
        ended.stderr
    );
    let own = lab.read(PAGE);
    assert!(is_drawn(&own));
    assert!(own.contains("href=\"#t=1315445"), "a finding's place");
    let (_, run) = lab.json(&["run", SLOW]);
    lab.write("run.json", &run.to_string());
    let ended = lab.run(&["report", "run.json", "--out", "again.html"]);
    assert_eq!(ended.stdout, "wrote again.html\n", "{}", ended.stderr);
    assert!(own == lab.read("again.html"), "the same bytes");
    // Beside the report, too.
    lab.write("elsewhere/handover-slow.json", &lab.read(SLOW));
    lab.write("elsewhere/run.json", &run.to_string());
    lab.write(SLOW, &lab.read(CLEAN));
    let ended = lab.run(&["report", "elsewhere/run.json", "--out", "beside.html"]);
    assert_eq!(ended.stdout, "wrote beside.html\n", "{}", ended.stderr);
    assert!(own == lab.read("beside.html"), "the same bytes");
}

#[test]
fn a_part_of_a_run_makes_a_smaller_page() {
    let lab = Lab::new();
    lab.run(&["report", SLOW]);
    let ended = lab.run(&[
        "report",
        SLOW,
        "--from",
        "1.3s",
        "--until",
        "1.4s",
        "--out",
        "part.html",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (whole, part) = (lab.read(PAGE).len(), lab.read("part.html").len());
    assert!(part * 5 < whole, "{part} of {whole}");
    assert!(is_drawn(&lab.read("part.html")));
}

#[test]
fn a_run_that_cannot_be_run_again_is_not_drawn_and_the_page_says_why() {
    let lab = Lab::new();
    let (_, mut run) = lab.json(&["run", SLOW]);
    run["trace_hash"] = "0123456789abcdef0123456789abcdef".into();
    lab.write("other-trace.json", &run.to_string());
    run["behaviour"] = "6.0".into();
    lab.write("no-behaviour.json", &run.to_string());
    run["scenario_hash"] = "00000000000000000000000000000000".into();
    lab.write("no-scenario.json", &run.to_string());
    run["scenario"] = "../../etc/passwd".into();
    lab.write("a-path.json", &run.to_string());
    for (file, part) in [
        (
            "other-trace.json",
            "Under this build, seed 1 gives another run",
        ),
        ("no-behaviour.json", "no behaviour 6.0"),
        ("no-scenario.json", "name it with --scenario FILE"),
        ("a-path.json", "name it with --scenario FILE"),
    ] {
        let ended = lab.run(&["report", file, "--out", "page.html"]);
        assert_eq!(ended.code, 0, "{file}: {}", ended.stderr);
        assert!(
            ended
                .stdout
                .starts_with("wrote page.html, without a diagram: ")
                && ended.stdout.contains(part),
            "{file}: {}",
            ended.stdout
        );
        let html = lab.read("page.html");
        assert!(!is_drawn(&html), "{file}");
        assert!(html.contains(part), "{file}");
        assert!(html.contains("<h2 id=\"findings\">"), "{file}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let lab = Lab::new();
    let (_, run) = lab.json(&["run", SLOW]);
    lab.write("run.json", &run.to_string());
    let (_, sweep) = lab.json(&["sweep", CLEAN, "--seeds", "0..2"]);
    lab.write("sweep.json", &sweep.to_string());
    for (arguments, part) in [
        (
            &["run.json", "--scenario", CLEAN][..],
            "is not the scenario of this run: its hash is",
        ),
        (&["run.json", "--scenario", "nothing.json"], "nothing.json"),
        (
            &["run.json", "--from", "2s", "--until", "1s"],
            "there is nothing from 2s until 1s",
        ),
        (&["run.json", "--from", "soon"], "invalid value 'soon'"),
        (
            &["sweep.json", "--from", "1s"],
            "--from applies to the diagram of a run, but sweep.json is a report of `rebound sweep`",
        ),
        (
            &[SLOW, "--scenario", SLOW],
            "the input is a scenario: leave it out",
        ),
        (
            &[SLOW, "--seeds", "0..2", "--until", "1s"],
            "cannot be used with",
        ),
    ] {
        let ended = lab.run(&[&["report"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stdout);
        assert!(
            ended.stderr.contains(part),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    assert!(!lab.path("reports").exists(), "nothing was written");
}

#[test]
fn no_text_of_a_report_becomes_markup() {
    let lab = Lab::new();
    let (_, mut run) = lab.json(&["run", SLOW]);
    run["findings"][0]["why"] = "</script><b>&".into();
    run["findings"][0]["client"] = "\"><i>'".into();
    lab.write("odd.json", &run.to_string());
    let ended = lab.run(&["report", "odd.json", "--out", "odd.html"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let html = lab.read("odd.html");
    assert!(is_drawn(&html));
    assert!(html.contains("&lt;/script&gt;&lt;b&gt;&amp;"));
    assert!(!html.contains("</script><b>") && !html.contains("\"><i>"));
}
