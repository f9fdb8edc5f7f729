//! Work that its observer stops goes on from the state that it kept, to the same results.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use rebound_batch::compare::{CompareOutcome, CompareProgress};
use rebound_batch::{
    CheckOptions, CompareOptions, Error, Observer, SweepOptions, SweepProgress, check, compare,
    sweep,
};
use rebound_sim::scenario::{Plan, load};
use rebound_sim::valkey::Behaviour;

/// Stops the work once something is done.
#[derive(Default)]
struct Impatient {
    warnings: Vec<String>,
}

fn stop_if(done: bool) -> ControlFlow<()> {
    if done {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

impl Observer<SweepProgress> for Impatient {
    fn progress(&mut self, progress: &SweepProgress) -> ControlFlow<()> {
        stop_if(progress.seeds > 0)
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

impl Observer<CompareProgress> for Impatient {
    fn progress(&mut self, progress: &CompareProgress) -> ControlFlow<()> {
        stop_if(progress.runs > 0)
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

fn plan() -> Arc<Plan> {
    let path = "../../scenarios/clean-failover.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    Arc::new(load(&path).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn a_stopped_sweep_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = SweepOptions {
        resume: Some(folder.path().join("state.json")),
        ..SweepOptions::new(plan(), "0..1000000000".parse().expect("seeds"))
    };
    let mut observer = Impatient::default();
    let stopped = sweep(&options, &mut observer).expect("a report");
    assert_eq!((stopped.saved, observer.warnings), (Ok(()), Vec::new()));
    let done = stopped.report.seeds.done;
    assert!(done > 0);
    options.seeds.0.end = done + 20;
    let resumed = sweep(&options, &mut ()).expect("a report").report;
    options.resume = None;
    let whole = sweep(&options, &mut ()).expect("a report").report;
    assert_eq!(resumed.seeds.done, done + 20);
    assert_eq!(resumed.digest, whole.digest);
    assert_eq!(resumed.events, whole.events);
}

#[test]
fn a_stopped_comparison_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let behaviours = ["8.0.0-rc1", "merged"].map(|name| Behaviour::named(name).expect("a name"));
    let seeds = "0..1000000".parse().expect("seeds");
    let mut options = CompareOptions {
        resume: Some(folder.path().join("state.json")),
        ..CompareOptions::new(vec![plan()], behaviours.to_vec(), seeds)
    };
    let mut observer = Impatient::default();
    let stopped = compare(&options, &mut observer).expect("a comparison");
    let CompareOutcome::Stopped { runs, of } = stopped.outcome else {
        panic!("it was to be stopped");
    };
    assert!(runs > 0 && of == 2_000_000, "{runs} of {of}");
    options.seeds.0.end = runs / 2 + 5;
    let mut reports = [options.resume.take(), None].map(|resume| {
        options.resume = resume;
        match compare(&options, &mut ()).expect("a comparison").outcome {
            CompareOutcome::Done(report) => report,
            CompareOutcome::Stopped { runs, .. } => panic!("stopped after {runs} runs"),
        }
    });
    let [resumed, whole] = &mut reports;
    assert_eq!(resumed, whole);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let one = Behaviour::named("merged").expect("a name");
    for behaviours in [vec![one], vec![one, one]] {
        let seeds = "0..3".parse().expect("seeds");
        let options = CompareOptions::new(vec![plan()], behaviours, seeds);
        let ended = compare(&options, &mut ());
        assert!(matches!(ended, Err(Error::Input(_))), "{ended:?}");
    }
}

#[test]
fn every_mistake_in_a_folder_is_returned_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a new file");
    };
    write("a.json", "{\"name\": \"a\",\n \"nodes\": 5}");
    write("b.json", "{\"name\": \"b\",\n\n \"nodes\": [{}]}");
    let error = check(&CheckOptions::new(folder.path()), &mut ()).expect_err("mistakes");
    let lines: Vec<_> = error
        .mistakes
        .iter()
        .filter_map(|mistake| Some(mistake.location.position?.0))
        .collect();
    assert_eq!(lines, [2, 3], "{:?}", error.mistakes);
    assert!(matches!(error.error, Error::Scenario(_)), "{error}");
}
