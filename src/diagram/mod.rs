//! Diagrams of a run: for the terminal, for pasting as Mermaid, and as a picture.

mod mermaid;
mod place;
mod svg;
mod text;

use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::results::RunReport;
use rebound_sim::trace::{Event, Record, Sink};
use rebound_sim::valkey::{GateVerdict, Note as NodeNote};
use rebound_view::Filter;
use rebound_view::diagram::{Diagram, Recorder};

use crate::arguments::Format;
use crate::exit::Failure;
use crate::output::Output;
use rebound_batch::verify::{Case, mismatch};

/// How a diagram is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// Columns of text, for the terminal; by default as many as the terminal has.
    pub width: Option<u16>,
    /// Whether text keeps to ASCII.
    pub ascii: bool,
    /// The most rows.
    pub limit: Option<u64>,
}

/// Rows of a picture that nobody has limited: more could not be looked at.
const PICTURE_ROWS: usize = 1_000;

/// Runs `case` once more, draws what `filter` wants, and prints it. `first` is what the first
/// run returned.
///
/// # Errors
/// If the run gives another result, or the diagram does not fit its width.
pub fn draw(
    case: &Case,
    filter: Filter,
    first: &RunReport,
    drawing: Drawing,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut recorder = Recorder::new(&case.plan, case.behaviour, filter);
    let again = case.run(&mut recorder)?;
    if again != *first {
        let (first, again) = (&first.trace_hash, &again.trace_hash);
        return Err(Failure::nondeterminism(mismatch(case.seed, first, again)));
    }
    let limit = drawing
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let text = match out.format() {
        Format::Json => {
            return Err(Failure::usage(
                "--diagram has no JSON: use --format text, mermaid or svg, or leave --diagram out",
            ));
        }
        Format::Text => {
            let diagram = recorder.finish(first, limit);
            let closing = closing(&diagram, first, out);
            text::draw(&diagram, &drawing, out)? + &closing
        }
        Format::Mermaid => mermaid::draw(&recorder.finish(first, limit)),
        Format::Svg => svg::draw(&recorder.finish(first, limit.or(Some(PICTURE_ROWS)))),
    };
    out.text(&text)
}

/// What is said below a diagram in the terminal.
fn closing(diagram: &Diagram, report: &RunReport, out: &Output) -> String {
    if out.quiet() {
        return String::new();
    }
    format!(
        "\n{} of {}; {}\n",
        crate::figures::count(diagram.rows.len() as u64, "row"),
        crate::figures::count(report.events, "event"),
        crate::figures::verdict(out, report.verdict),
    )
}

/// What is said of rows that were left out.
fn left_out(diagram: &Diagram) -> Option<String> {
    (diagram.cut > 0).then(|| {
        format!(
            "{} left out: select with --from, --until, --limit",
            crate::figures::count(diagram.cut, "more row")
        )
    })
}

/// Finds the first client to whom anything out of the ordinary happens, for a run in which none
/// is flagged.
#[derive(Default)]
pub struct FirstTroubled {
    redirected: Option<ClientId>,
    held: Option<u32>,
}

impl FirstTroubled {
    /// The first client that was redirected, else the first that was held.
    pub fn client(&self, case: &Case) -> Option<ClientId> {
        let held = self.held.map(rebound_net::HostId);
        let held = held.and_then(|host| case.plan.client_at(host));
        self.redirected.or(held)
    }
}

impl Sink for FirstTroubled {
    fn record(&mut self, record: &Record) {
        if let Event::Client(client, ClientNote::Hop { .. }) = record.event {
            self.redirected.get_or_insert(client);
        }
        if let Event::Node(
            _,
            NodeNote::Gate {
                peer,
                verdict: GateVerdict::Postponed(_),
                ..
            },
        ) = record.event
        {
            self.held.get_or_insert(peer.0);
        }
    }
}
