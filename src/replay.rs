//! `rebound replay`: a run, event by event, or its state at an instant.

mod state;

use clap::{ArgGroup, Args, ValueEnum};
use rebound_batch::verify::{Case, mismatch};
use rebound_sim::results::RunReport;
use rebound_sim::trace::{Record, Sink};
use rebound_view::{Filter, Run, Story, StoryKind, StoryLine};

use crate::arguments::{Format, OneRun, SeedArgument, WindowArguments};
use crate::diagram::{self, Drawing, FirstTroubled};
use crate::exit::{Exit, Failure};
use crate::figures::{count, instant};
use crate::output::{Output, Style};

/// Arguments of `rebound replay`.
#[derive(Args)]
#[command(group = ArgGroup::new("extent").args(["story", "all"]))]
pub struct Arguments {
    #[command(flatten)]
    seed: SeedArgument,
    #[command(flatten)]
    run: OneRun,
    /// Follow this client's commands (GROUP/NUMBER, or a number through all groups); may be
    /// given more than once [default: the first flagged client]
    #[arg(long, value_name = "CLIENT")]
    client: Vec<String>,
    /// Print only what concerns this node; may be given more than once
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,
    #[command(flatten)]
    window: WindowArguments,
    /// Print only this kind; may be given more than once
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Print at most N lines, or rows of a diagram
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print what nodes, operator and faults do, and one client's commands (the default)
    #[arg(long)]
    story: bool,
    /// Print everything
    #[arg(long)]
    all: bool,
    /// Instead of the story, print the state of every node and client just before --until, or at
    /// the end of the run
    #[arg(long, conflicts_with_all = ["extent", "kind", "limit", "from", "diagram"])]
    state: bool,
    /// Draw a sequence diagram instead; --format mermaid or svg draws one as well
    #[arg(long)]
    diagram: bool,
    /// Width of a text diagram in columns [default: the terminal's, or 80]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..=2000),
          requires = "diagram")]
    width: Option<u16>,
    /// Draw with ASCII only
    #[arg(long, requires = "diagram")]
    ascii: bool,
}

/// What a line can be about.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Roles, links, failover states
    Node,
    /// Messages of replication handshakes and hand-overs
    Handshake,
    /// The operator's commands
    Operator,
    /// Faults
    Fault,
    /// Commands of applications, redirects, and outcomes
    Command,
    /// Whether each server check passed, redirected, held or rejected a command
    Gate,
    /// Connections
    Connection,
    /// All other messages
    Message,
}

impl From<Kind> for StoryKind {
    fn from(kind: Kind) -> StoryKind {
        match kind {
            Kind::Node => StoryKind::Node,
            Kind::Handshake => StoryKind::Handshake,
            Kind::Operator => StoryKind::Operator,
            Kind::Fault => StoryKind::Fault,
            Kind::Command => StoryKind::Command,
            Kind::Gate => StoryKind::Gate,
            Kind::Connection => StoryKind::Connection,
            Kind::Message => StoryKind::Message,
        }
    }
}

/// Prints the run's story.
///
/// It runs twice: once to learn which client is worth following, and once to print the story as it
/// goes, so that the longest run needs no memory for its trace.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let case = arguments.run.case(arguments.seed.seed)?;
    let mut filter = filter(arguments, &case)?;
    let mut troubled = FirstTroubled::default();
    let report = case.run(&mut troubled)?;
    let drawn = match out.format() {
        Format::Text | Format::Json => arguments.diagram,
        Format::Mermaid | Format::Svg => true,
    };
    if arguments.state {
        if drawn {
            return Err(Failure::usage(
                "--state has text and JSON output: leave out --format, or --state",
            ));
        }
        state::show(&case, &report, &filter, out)?;
        return Ok(report.verdict.into());
    }
    let shown = filter
        .clients
        .take_if(|clients| clients.is_empty() && arguments.client.is_empty());
    if shown.is_some() {
        let mut chosen = rebound_view::first_flagged(case.names(), &report);
        if drawn {
            chosen = chosen.or_else(|| troubled.client(&case));
        }
        filter.clients = Some(chosen.into_iter().collect());
    }
    let exit = report.verdict.into();
    if drawn {
        let drawing = Drawing {
            width: arguments.width,
            ascii: arguments.ascii,
            limit: arguments.limit,
        };
        diagram::draw(&case, filter, &report, drawing, out)?;
        return Ok(exit);
    }
    let mut telling = Telling {
        run: Run::new(&case.plan, case.behaviour),
        story: Story::default(),
        filter: &filter,
        width: case.names().width(),
        left: arguments.limit.unwrap_or(u64::MAX),
        cut: 0,
        told: 0,
        failure: None,
        out,
    };
    let again = case.run(&mut telling)?;
    if telling.failure.is_none() {
        let rest = telling.story.finish(&telling.run);
        telling.print_all(rest);
    }
    let (told, cut, failure) = (telling.told, telling.cut, telling.failure);
    if let Some(failure) = failure {
        return Err(failure);
    }
    if again != report {
        let (first, again) = (&report.trace_hash, &again.trace_hash);
        return Err(Failure::nondeterminism(mismatch(case.seed, first, again)));
    }
    if !out.json_wanted() && !out.quiet() {
        let text = closing_words(out, &report, told, cut);
        out.text(&text)?;
    }
    Ok(exit)
}

fn filter(arguments: &Arguments, case: &Case) -> Result<Filter, Failure> {
    let names = case.names();
    let clients: Result<Vec<_>, _> = arguments
        .client
        .iter()
        .map(|client| names.client_named(client))
        .collect();
    let clients = clients.map_err(Failure::usage)?;
    let nodes: Result<Vec<_>, _> = arguments
        .node
        .iter()
        .map(|node| names.node_named(node))
        .collect();
    let nodes = nodes.map_err(Failure::usage)?;
    let mut filter = if arguments.all {
        Filter {
            clients: (!clients.is_empty()).then_some(clients),
            ..Filter::all()
        }
    } else {
        Filter::story(clients)
    };
    filter.nodes = (!nodes.is_empty()).then_some(nodes);
    if !arguments.kind.is_empty() {
        filter.kinds = arguments.kind.iter().map(|kind| (*kind).into()).collect();
    }
    (filter.from, filter.until) = arguments.window.times()?;
    Ok(filter)
}

fn closing_words(out: &Output, report: &RunReport, told: u64, cut: u64) -> String {
    let mut text = format!(
        "\n{} of {}; {}",
        count(told, "line"),
        count(report.events, "event"),
        crate::figures::verdict(out, report.verdict)
    );
    if cut > 0 {
        text.push_str(&format!("; {cut} more lines were cut off by --limit"));
    }
    text.push('\n');
    text
}

/// Prints a run's story while the run goes on.
struct Telling<'a> {
    run: Run,
    story: Story,
    filter: &'a Filter,
    width: usize,
    left: u64,
    cut: u64,
    told: u64,
    failure: Option<Failure>,
    out: &'a mut Output,
}

impl Telling<'_> {
    fn print_all(&mut self, lines: Vec<StoryLine>) {
        for line in lines {
            if self.left == 0 {
                self.cut += 1;
                continue;
            }
            self.left -= 1;
            self.told += 1;
            if let Err(failure) = self.print(&line) {
                self.failure = Some(failure);
                return;
            }
        }
    }

    fn print(&mut self, line: &StoryLine) -> Result<(), Failure> {
        if self.out.json_wanted() {
            return self.out.json_line(line);
        }
        let width = self.width;
        let words = if line.bounce {
            self.out.paint(Style::Bad, &line.words)
        } else {
            line.words.clone()
        };
        let text = format!(
            "{:>12}  {:<width$}  {words}\n",
            instant(line.at_ns),
            line.who
        );
        self.out.text(&text)
    }
}

impl Sink for Telling<'_> {
    fn record(&mut self, record: &Record) {
        if self.failure.is_some() || self.out.closed() {
            return;
        }
        self.run.observe(record);
        let lines = self.story.tell(&self.run, record, self.filter);
        self.print_all(lines);
    }
}
