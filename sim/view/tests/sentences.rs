//! Whatever is printed about a run reads as sentences: every line of the story, what nodes and
//! clients are and do, the texts of a diagram, and what findings say, of every scenario under some of
//! the behaviours that it expects something of: each has its turn in a quarter of the scenarios.
//!
//! Most of these sentences are met by no other test. What goes wrong in them is of a few kinds (a
//! line that was broken without a backslash, a part left out within brackets, a placeholder in a
//! string that is not formatted), and a machine can see those.

use std::collections::BTreeSet;
use std::fs;
use std::mem::{Discriminant, discriminant};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rebound_sim::Runner;
use rebound_sim::client::ClientId;
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{Plan, load};
use rebound_sim::trace::{Event, Record, Sending, Sink};
use rebound_sim::valkey::Behaviour;
use rebound_view::diagram::{Diagram, Recorder, What};
use rebound_view::{Changed, Filter, Run, Story, line};
use serde_json::Value;

const SEED: u64 = 1;

/// Tried with every scenario besides those that it expects something of: under it clients ignore
/// redirects, which no other behaviour lets them do.
const EPOCHS: &str = "8.0.1+epoch-redirect";

/// Each scenario is run under one in this many of its behaviours.
const TURNS: usize = 4;

/// The mark at the end of a label that was cut to fit.
const CUT: char = '…';

/// What is wrong with a sentence, if anything.
fn flaw(sentence: &str) -> Option<&'static str> {
    if sentence.contains("  ") {
        return Some("two spaces in a row");
    }
    if sentence.starts_with(' ') || sentence.ends_with(' ') {
        return Some("a space at its edge");
    }
    if sentence.contains(" ,") || sentence.contains(" ;") || sentence.contains(",,") {
        return Some("punctuation that follows nothing");
    }
    if sentence.contains(['{', '}']) {
        return Some("a brace");
    }
    if sentence.contains("()") || sentence.contains("[]") {
        return Some("brackets with nothing in them");
    }
    if sentence.ends_with(CUT) {
        return None;
    }
    if !sentence.matches('"').count().is_multiple_of(2) {
        return Some("a quotation that does not end");
    }
    let mut open = Vec::new();
    for character in sentence.chars() {
        match character {
            '(' => open.push(')'),
            '[' => open.push(']'),
            ')' | ']' if open.pop() != Some(character) => {
                return Some("a bracket that closes nothing");
            }
            _ => {}
        }
    }
    (!open.is_empty()).then_some("a bracket that does not close")
}

/// All that is said of a run while it goes on.
struct Said {
    recorder: Recorder,
    run: Run,
    condensed: Story,
    filter: Filter,
    records: u64,
    /// How many records of each kind there were.
    met: Vec<(Discriminant<Event>, u64)>,
    sentences: BTreeSet<String>,
}

impl Said {
    /// Of each kind of record, this many are told one by one.
    const TOLD: u64 = 200;

    /// Of all further ones, one in this many. It is prime, so as not to keep step with clients.
    const OF_THE_REST: u64 = 31;

    fn new(plan: &Arc<Plan>, behaviour: &'static Behaviour) -> Said {
        let filter = Filter::story(vec![ClientId(0)]);
        Said {
            recorder: Recorder::new(plan, behaviour, filter.clone()),
            run: Run::new(plan, behaviour),
            condensed: Story::default(),
            filter,
            records: 0,
            met: Vec::new(),
            sentences: BTreeSet::new(),
        }
    }

    /// Whether this record is told by itself. Those of most kinds are told all; sends and answers
    /// come in hundreds of thousands that differ in a number.
    fn is_told(&mut self, event: &Event) -> bool {
        self.records += 1;
        let kind = discriminant(event);
        let index = self.met.iter().position(|(met, _)| *met == kind);
        let index = index.unwrap_or_else(|| {
            self.met.push((kind, 0));
            self.met.len() - 1
        });
        self.met[index].1 += 1;
        self.met[index].1 <= Self::TOLD || self.records.is_multiple_of(Self::OF_THE_REST)
    }

    fn add(&mut self, sentence: String) {
        self.sentences.insert(sentence);
    }

    /// What the nodes and clients that the latest record is about are and do.
    fn add_states(&mut self) {
        for changed in self.run.changed().to_vec() {
            self.add(match changed {
                Changed::Node(node) => self.run.node_state(node).to_string(),
                Changed::Client(client) => self.run.client_state(client).to_string(),
            });
        }
    }

    /// Every sentence, once the run has ended.
    fn finish(mut self, report: &RunReport, clients: u32) -> BTreeSet<String> {
        for line in self.condensed.finish(&self.run) {
            self.sentences.insert(line.words);
        }
        let state = self.run.report(SEED, (0..clients).map(ClientId));
        strings(&json(&state), &mut self.sentences);
        strings(&json(report), &mut self.sentences);
        diagram(self.recorder.finish(report, None), &mut self.sentences);
        self.sentences
    }
}

impl Sink for Said {
    const SENDINGS: bool = true;

    fn record(&mut self, record: &Record) {
        self.recorder.record(record);
        self.run.observe(record);
        for line in self.condensed.tell(&self.run, record, &self.filter) {
            self.add(line.words);
        }
        if self.is_told(&record.event) {
            let line = line(&self.run, record);
            self.add(line.words);
            self.add(line.who);
            self.add_states();
        }
    }

    fn sent(&mut self, sending: &Sending) {
        self.recorder.sent(sending);
    }
}

fn json(printed: &impl serde::Serialize) -> Value {
    serde_json::to_value(printed).expect("what is printed is JSON")
}

/// Adds every string in `value`, but not the names of fields.
fn strings(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, into)),
    }
}

fn diagram(diagram: Diagram, into: &mut BTreeSet<String>) {
    into.insert(diagram.title);
    into.extend(diagram.columns.into_iter().map(|column| column.name));
    for arrow in diagram.arrows {
        into.extend([arrow.label, arrow.detail]);
    }
    for row in diagram.rows {
        match row.what {
            What::Arrow(_) | What::Departs(_) | What::Arrives(_) => {}
            What::Note(note) => into.extend([note.label, note.detail]),
            What::Fold(fold) => {
                into.insert(fold.label);
            }
        }
    }
}

/// The flaws in what is said of one run, a line each.
fn flaws(plan: &Arc<Plan>, behaviour: &'static Behaviour) -> Vec<String> {
    let mut said = Said::new(plan, behaviour);
    let report = Runner::new(plan.clone(), behaviour).run(SEED, &mut said);
    let sentences = said.finish(&report, plan.clients());
    assert!(sentences.len() > 20, "only {} sentences", sentences.len());
    let flawed = sentences.iter().filter_map(|sentence| {
        let flaw = flaw(sentence)?;
        let (scenario, behaviour) = (&plan.name, behaviour.name);
        Some(format!(
            "{scenario} under {behaviour}, seed {SEED}: {flaw} in {sentence:?}"
        ))
    });
    flawed.collect()
}

/// Every scenario.
fn plans() -> Vec<Arc<Plan>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("scenarios/ can be read")
        .map(|entry| entry.expect("scenarios/ can be read").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "regressions"))
        .collect();
    files.sort();
    assert!(files.len() > 40, "only {} scenarios", files.len());
    let plan = |path: &PathBuf| Arc::new(load(path).unwrap_or_else(|error| panic!("{error}")));
    files.iter().map(plan).collect()
}

#[test]
fn every_sentence_about_every_scenario_is_whole() {
    let plans = plans();
    let epochs = Behaviour::named(EPOCHS).expect("a behaviour");
    let mut work: Vec<(&Arc<Plan>, &'static Behaviour)> = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let expected = plan.expect.iter().flat_map(|expect| &expect.behaviours);
        let mut behaviours: Vec<_> = expected.copied().collect();
        behaviours.sort_by_key(|behaviour| behaviour.name);
        behaviours.dedup_by_key(|behaviour| behaviour.name);
        let turns = behaviours.into_iter().enumerate();
        let chosen = turns.filter(|(index, _)| (index + number).is_multiple_of(TURNS));
        let chosen = chosen.map(|(_, behaviour)| behaviour).chain([epochs]);
        work.extend(chosen.map(|behaviour| (plan, behaviour)));
    }
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeSet::new());
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((plan, behaviour)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let flaws = flaws(plan, behaviour);
                    found.lock().expect("no thread has panicked").extend(flaws);
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread has panicked");
    let shown: Vec<&String> = found.iter().take(20).collect();
    assert!(found.is_empty(), "{} flaws: {shown:#?}", found.len());
}

/// The detector itself: it sees each kind of flaw, and leaves whole sentences alone.
#[test]
fn a_flaw_is_seen() {
    for (sentence, expected) in [
        ("its epoch                      7 is older", "two spaces"),
        ("promotes itself ", "at its edge"),
        ("a replica of , link up", "punctuation"),
        ("redirected by {node}", "a brace"),
        ("reads fault}", "a brace"),
        ("stopped ()", "nothing in them"),
        ("FAILOVER to new (redirect 3", "does not close"),
        ("FAILOVER to new redirect 3)", "closes nothing"),
        ("gets (an array [1, 2)]", "closes nothing"),
        ("\"a failover is in progress in the stream", "does not end"),
    ] {
        let flaw = flaw(sentence).unwrap_or_else(|| panic!("nothing is seen in {sentence:?}"));
        assert!(flaw.contains(expected), "{sentence:?}: {flaw}");
    }
    for whole in [
        "GET #131: redirected by old to new (redirect 12, bounce 11)",
        "sends \"-REDIRECT new:6379\" (to [a, b])",
        "-UNBLOCKED force unblock (from…",
    ] {
        assert_eq!(flaw(whole), None, "{whole:?}");
    }
}
