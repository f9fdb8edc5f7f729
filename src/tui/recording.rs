//! A run kept in memory, so that one can look at any of its records, in whichever order.
//!
//! What is so at a record is folded from the nearest checkpoint before it, which makes a step
//! back as quick as one forward.

use rebound_engine::Time;
use rebound_net::Note as NetNote;
use rebound_sim::client::ClientId;
use rebound_sim::results::{Finding, RunReport};
use rebound_sim::scenario::Names;
use rebound_sim::trace::{Event, Record, Sink};
use rebound_sim::valkey::Note as NodeNote;
use rebound_view::{Filter, Run, Story, StoryLine};

use super::cursor::{Place, Way};
use crate::exit::Failure;
use rebound_batch::verify::Case;

/// Records between two checkpoints, for every hundred clients: the more clients, the larger is
/// a checkpoint.
const EVERY: usize = 1_024;

/// Most records that are kept, some 300 MB of them.
const MOST: usize = 2_000_000;

/// The stretch of a run that is kept.
#[derive(Copy, Clone, Debug)]
pub struct Window {
    /// Nothing earlier.
    pub from: Time,
    /// Nothing as late or later.
    pub until: Time,
}

/// A run, or a stretch of one.
pub struct Recording<'a> {
    names: Names<'a>,
    clients: u32,
    report: RunReport,
    kept: Kept,
    /// For each finding of the report, where it is; none if that was not kept.
    findings: Vec<Option<Place>>,
}

/// A line of the story, and where it belongs.
#[derive(Clone, Debug)]
pub struct Told {
    /// Right after the record that it concerns.
    pub place: Place,
    /// The line.
    pub line: StoryLine,
}

impl<'a> Recording<'a> {
    /// Makes the run.
    ///
    /// # Errors
    /// If the model panics.
    pub fn new(case: &'a Case, window: Window) -> Result<Recording<'a>, Failure> {
        Recording::with_room(case, window, MOST)
    }

    /// Like [`Recording::new`], with room for this many records.
    ///
    /// # Errors
    /// As there.
    pub fn with_room(
        case: &'a Case,
        window: Window,
        most: usize,
    ) -> Result<Recording<'a>, Failure> {
        let clients = case.plan.clients() as usize;
        let names = case.names();
        let mut kept = Kept {
            window,
            every: EVERY * (clients / 100).max(1),
            most,
            now: Run::new(&case.plan, case.behaviour),
            checkpoints: Vec::new(),
            records: Vec::new(),
            turns: Vec::new(),
            before: 0,
            dropped: 0,
        };
        let report = case.run(&mut kept)?;
        if kept.checkpoints.is_empty() {
            kept.checkpoints.push(kept.now.clone());
        }
        let mut recording = Recording {
            names,
            clients: case.plan.clients(),
            report,
            kept,
            findings: Vec::new(),
        };
        recording.findings = recording.find_findings();
        Ok(recording)
    }

    /// What the run returned.
    pub fn report(&self) -> &RunReport {
        &self.report
    }

    /// What its hosts are called.
    pub fn names(&self) -> Names<'a> {
        self.names
    }

    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.clients
    }

    /// When the stretch begins.
    pub fn start(&self) -> Time {
        self.kept.window.from
    }

    /// The records that are kept.
    pub fn records(&self) -> &[Record] {
        &self.kept.records
    }

    /// How many records there were before those.
    pub fn before(&self) -> u64 {
        self.kept.before
    }

    /// How many records of the window had no room.
    pub fn dropped(&self) -> u64 {
        self.kept.dropped
    }

    /// Where each finding of the report is.
    pub fn findings(&self) -> &[Option<Place>] {
        &self.findings
    }

    /// The record that has happened last.
    pub fn record_at(&self, place: Place) -> Option<&Record> {
        self.records().get(place.0.checked_sub(1)?)
    }

    /// Whether a node becomes a primary or ceases to be one with this record.
    pub fn turns_at(&self, place: Place) -> bool {
        self.kept.turns.binary_search(&place).is_ok()
    }

    /// Right after the first record at that time or later; the end if there is none.
    pub fn at_time(&self, time: Time) -> Place {
        Place(self.records().partition_point(|record| record.at < time) + 1)
    }

    /// What is so at a place.
    pub fn run_at(&self, place: Place) -> Run {
        let (first, checkpoint) = self.checkpoint(place);
        let mut run = checkpoint.clone();
        for record in &self.records()[first..place.0] {
            run.observe(record);
        }
        run
    }

    /// All records from one place to another in words, a line each.
    pub fn lines(&self, from: Place, to: Place) -> Vec<StoryLine> {
        let mut run = self.run_at(from);
        let mut story = Story::default();
        let all = Filter::all();
        let records = &self.records()[from.0..to.0];
        let tell = |record: &Record| {
            run.observe(record);
            story.tell(&run, record, &all)
        };
        records.iter().flat_map(tell).collect()
    }

    /// What is worth telling of the run, with the commands of `client`.
    pub fn story(&self, client: Option<ClientId>) -> Vec<Told> {
        let mut run = self.kept.checkpoints[0].clone();
        let mut story = Story::default();
        let filter = Filter::story(client.into_iter().collect());
        let mut told: Vec<Told> = Vec::new();
        let add = |lines: Vec<StoryLine>, told: &mut Vec<Told>, now: Place| {
            let at = self.record_at(now).map(|record| record.at.nanos());
            let last = lines.len().saturating_sub(1);
            for (number, line) in lines.into_iter().enumerate() {
                let after = told.last().map_or(Place(0), |told| told.place);
                let place = if number == last && at == Some(line.at_ns) {
                    now
                } else {
                    // It was held back, and belongs to an earlier record.
                    self.first_at(line.at_ns, after, client).unwrap_or(now)
                };
                let place = place.max(after);
                told.push(Told { place, line });
            }
        };
        for (place, record) in self.records().iter().enumerate() {
            run.observe(record);
            let lines = story.tell(&run, record, &filter);
            add(lines, &mut told, Place(place + 1));
        }
        add(story.finish(&run), &mut told, Place(self.records().len()));
        told
    }

    /// The nearest place beyond `start` whose record has `needle`, in small letters, in its
    /// words.
    pub fn search(&self, start: Place, way: Way, needle: &str) -> Option<Place> {
        let end = self.records().len();
        let every = self.kept.every;
        let has = |line: &StoryLine| {
            let other = line.other.as_deref().unwrap_or_default();
            let text = format!("{} {} {other}", line.who, line.words);
            text.to_lowercase().contains(needle)
        };
        let found = |from: usize, to: usize| {
            let lines = self.lines(Place(from), Place(to));
            let place = match way {
                Way::Forward => lines.iter().position(has),
                Way::Back => lines.iter().rposition(has),
            };
            place.map(|place| Place(from + place + 1))
        };
        match way {
            Way::Forward => {
                let block = |from: usize| found(from, (from + every).min(end));
                (start.0..end).step_by(every).find_map(block)
            }
            Way::Back => {
                let start = start.0.saturating_sub(1);
                let block = |block: usize| found(block * every, ((block + 1) * every).min(start));
                (0..start.div_ceil(every)).rev().find_map(block)
            }
        }
    }

    /// Whether a record is about a client: anything but the messages as they arrive.
    pub fn concerns(&self, record: &Record, client: ClientId) -> bool {
        let host = self.names.client_host(client);
        match record.event {
            Event::Net(
                NetNote::Dialled { from, to, .. }
                | NetNote::Connected { from, to, .. }
                | NetNote::ConnectFailed { from, to, .. }
                | NetNote::Closed { from, to, .. },
            )
            | Event::Fault { from, to, .. } => from == host || to == host,
            Event::Node(_, NodeNote::Gate { peer, .. }) => peer == host,
            Event::Client(whose, _) => whose == client,
            Event::Net(NetNote::Delivered { .. })
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. } => false,
        }
    }

    /// What was found at a place.
    pub fn findings_at(&self, place: Place) -> impl Iterator<Item = &Finding> {
        let places = self.findings.iter().zip(&self.report.findings);
        places.filter_map(move |(at, finding)| (*at == Some(place)).then_some(finding))
    }

    /// The checkpoint at or before a place, and how many records had happened by then.
    fn checkpoint(&self, place: Place) -> (usize, &Run) {
        let number = (place.0 / self.kept.every).min(self.kept.checkpoints.len() - 1);
        (number * self.kept.every, &self.kept.checkpoints[number])
    }

    /// The records at a time: how many there are before them, and with them.
    fn at_instant(&self, at_ns: u64) -> (usize, usize) {
        let records = self.records();
        let first = records.partition_point(|record| record.at.nanos() < at_ns);
        let end = records.partition_point(|record| record.at.nanos() <= at_ns);
        (first, end)
    }

    /// The first record at a time and beyond `after` that is about `client`, if any is;
    /// otherwise the last one at that time. None where nothing of that time is kept.
    fn first_at(&self, at_ns: u64, after: Place, client: Option<ClientId>) -> Option<Place> {
        let (first, end) = self.at_instant(at_ns);
        let client = client?;
        let about = |place: &usize| self.concerns(&self.records()[*place], client);
        let found = (first.max(after.0)..end).find(about).map(|place| place + 1);
        found.or((first < end).then_some(end)).map(Place)
    }

    /// The last record at a time that is about `client`, if any is; otherwise the last one at
    /// that time. None where nothing of that time is kept.
    fn last_at(&self, at_ns: u64, client: Option<ClientId>) -> Option<Place> {
        let (first, end) = self.at_instant(at_ns);
        let about = |place: &usize| {
            client.is_some_and(|client| self.concerns(&self.records()[*place], client))
        };
        let found = (first..end).rfind(about).map(|place| place + 1);
        found.or((first < end).then_some(end)).map(Place)
    }

    fn find_findings(&self) -> Vec<Option<Place>> {
        let end = Place(self.records().len());
        let last = self.record_at(end).map_or(0, |record| record.at.nanos());
        let find = |finding: &Finding| {
            let client = finding.client.as_deref();
            let client = client.and_then(|name| self.names.client_named(name).ok());
            let place = self.last_at(finding.at_ns, client);
            // What is found when all is over comes after the last record.
            let whole = self.kept.dropped == 0 && self.kept.window.until == Time::NEVER;
            place.or((whole && finding.at_ns > last).then_some(end))
        };
        self.report.findings.iter().map(find).collect()
    }
}

/// Keeps the records of a window while the run goes on.
struct Kept {
    window: Window,
    every: usize,
    most: usize,
    now: Run,
    /// Before the records number 0, `every`, twice `every` and so on.
    checkpoints: Vec<Run>,
    records: Vec<Record>,
    turns: Vec<Place>,
    before: u64,
    dropped: u64,
}

impl Sink for Kept {
    fn record(&mut self, record: &Record) {
        if record.at >= self.window.until {
            return;
        }
        if self.records.len() >= self.most {
            self.dropped += 1;
            return;
        }
        let kept = record.at >= self.window.from;
        if kept {
            if self.records.len().is_multiple_of(self.every) {
                self.checkpoints.push(self.now.clone());
            }
            self.records.push(*record);
        } else {
            self.before += 1;
        }
        if let Event::Node(node, NodeNote::Role { role, .. }) = record.event
            && kept
            && self.now.node(node).is.role != role
        {
            self.turns.push(Place(self.records.len()));
        }
        self.now.observe(record);
    }
}
