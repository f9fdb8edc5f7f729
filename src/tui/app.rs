//! What is looked at, and what each key does to it. Knows no terminal.

use rebound_engine::{Duration, Time};
use rebound_sim::client::ClientId;
use rebound_sim::results::Finding;

use super::breakpoints::{Breakpoint, Breakpoints};
use super::cursor::{Cursor, Place, Way};
use super::keys::{Edit, Order};
use super::prompt::{Prompt, Question, Typed};
use super::recording::{Recording, Told};
use crate::figures::{count, grouped};

/// Everything that is shown.
pub struct App<'a> {
    recording: &'a Recording<'a>,
    cursor: Cursor,
    followed: Option<ClientId>,
    story: Vec<Told>,
    telling: Telling,
    breakpoints: Breakpoints,
    prompt: Option<Prompt>,
    notice: Option<Notice>,
    needle: String,
    first_node: usize,
    help: Option<usize>,
}

/// Which records are listed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Every one.
    Everything,
    /// Those that are worth telling.
    Story,
}

/// Something that is said at the foot of the screen until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub words: String,
    /// Whether something could not be done.
    pub bad: bool,
}

/// Whether to go on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// With the next key.
    GoOn,
    /// No.
    Quit,
}

impl<'a> App<'a> {
    /// At the beginning of the recording, following `client`.
    pub fn new(recording: &'a Recording<'a>, client: Option<ClientId>) -> App<'a> {
        let mut app = App {
            recording,
            cursor: Cursor::new(recording.records().len()),
            followed: client,
            story: recording.story(client),
            telling: Telling::Everything,
            breakpoints: Breakpoints::default(),
            prompt: None,
            notice: None,
            needle: String::new(),
            first_node: 0,
            help: None,
        };
        if recording.dropped() > 0 {
            app.complain(format!(
                "only the first {} are kept, the next {} are not: --from and --until choose others",
                count(recording.records().len() as u64, "record"),
                grouped(recording.dropped())
            ));
        }
        app
    }

    /// The run.
    pub fn recording(&self) -> &'a Recording<'a> {
        self.recording
    }

    /// Where one is.
    pub fn place(&self) -> Place {
        self.cursor.place()
    }

    /// The client that is followed: none if there are no clients.
    pub fn followed(&self) -> Option<ClientId> {
        self.followed
    }

    /// What is worth telling of the run.
    pub fn story(&self) -> &[Told] {
        &self.story
    }

    /// Which records are listed.
    pub fn telling(&self) -> Telling {
        self.telling
    }

    /// The breakpoints.
    pub fn breakpoints(&self) -> &[Breakpoint] {
        self.breakpoints.all()
    }

    /// What is being typed.
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// What is said.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// The first node that is shown.
    pub fn first_node(&self) -> usize {
        self.first_node
    }

    /// If help is shown, how far down.
    pub fn help(&self) -> Option<usize> {
        self.help
    }

    /// Does what a key asks for while nothing is being typed.
    pub fn order(&mut self, order: Order) -> Next {
        self.notice = None;
        if let Some(down) = self.help {
            self.help = match order {
                Order::Step(Way::Forward, _) => Some(down + 1),
                Order::Step(Way::Back, _) => Some(down.saturating_sub(1)),
                Order::Quit
                | Order::Edge(_)
                | Order::Story(_)
                | Order::Continue(_)
                | Order::Match(_)
                | Order::Ask(_)
                | Order::Telling
                | Order::NextFlagged
                | Order::Scroll(_)
                | Order::Help => None,
            };
            return Next::GoOn;
        }
        match order {
            Order::Step(way, records) => self.cursor.step(way, records),
            Order::Edge(way) => self.cursor.step(way, usize::MAX),
            Order::Story(way) => self.go_story(way),
            Order::Continue(way) => self.go_on(way),
            Order::Match(way) => self.find(way),
            Order::Ask(question) => self.ask(question),
            Order::Telling => {
                self.telling = match self.telling {
                    Telling::Everything => Telling::Story,
                    Telling::Story => Telling::Everything,
                }
            }
            Order::NextFlagged => self.follow_flagged(),
            Order::Scroll(Way::Forward) => {
                let last = self.recording.names().nodes().saturating_sub(1);
                self.first_node = (self.first_node + 1).min(last);
            }
            Order::Scroll(Way::Back) => self.first_node = self.first_node.saturating_sub(1),
            Order::Help => self.help = Some(0),
            Order::Quit => return Next::Quit,
        }
        Next::GoOn
    }

    /// Takes away what stands before the panes: for a key without a meaning.
    pub fn dismiss(&mut self) {
        self.notice = None;
        self.help = None;
    }

    /// Goes on typing, if something is being typed.
    pub fn edit(&mut self, edit: Edit) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        self.notice = None;
        match prompt.edit(edit) {
            Typed::More => {}
            Typed::Dropped => self.prompt = None,
            Typed::Done => {
                let (question, answer) = (prompt.question(), prompt.answer().trim().to_owned());
                match self.answer(question, &answer) {
                    Ok(()) => self.prompt = None,
                    // It stays, to be put right.
                    Err(problem) => self.complain(problem),
                }
            }
        }
    }

    fn say(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: false,
        });
    }

    fn complain(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: true,
        });
    }

    fn ask(&mut self, question: Question) {
        match question {
            Question::Delete if self.breakpoints().is_empty() => {
                self.complain("no breakpoint is set: b sets one");
            }
            Question::Delete
            | Question::Breakpoint
            | Question::Time
            | Question::Client
            | Question::Words => self.prompt = Some(Prompt::new(question)),
        }
    }

    fn answer(&mut self, question: Question, answer: &str) -> Result<(), String> {
        let names = self.recording.names();
        match question {
            Question::Breakpoint => {
                let breakpoint = Breakpoint::parse(answer, names)?;
                let words = breakpoint.words(names);
                if self.breakpoints.add(breakpoint) {
                    self.say(format!("breakpoint {words}: c goes there, C goes back"));
                } else {
                    self.say(format!("there is a breakpoint {words} already"));
                }
            }
            Question::Delete => {
                self.breakpoints.delete(answer)?;
                let left = count(self.breakpoints().len() as u64, "breakpoint");
                self.say(format!("deleted; {left} left"));
            }
            Question::Time => {
                let span = Duration::parse(answer)?;
                self.cursor
                    .go(self.recording.at_time(Time(span.as_nanos())));
            }
            Question::Client => self.follow(names.client_named(answer)?),
            Question::Words => {
                // Nothing new is typed: once more the old.
                if !answer.is_empty() {
                    self.needle = answer.to_lowercase();
                }
                self.find(Way::Forward);
            }
        }
        Ok(())
    }

    fn go_story(&mut self, way: Way) {
        let now = self.place();
        let mut told = self.story.iter().map(|told| told.place);
        let found = match way {
            Way::Forward => told.find(|place| *place > now),
            Way::Back => told.rfind(|place| *place < now),
        };
        match found {
            Some(place) => self.cursor.go(place),
            None => self.complain(format!("the story has nothing {}", beyond(way))),
        }
    }

    fn go_on(&mut self, way: Way) {
        if self.breakpoints().is_empty() {
            self.complain("no breakpoint is set: b sets one");
            return;
        }
        match self.breakpoints.next(self.recording, self.place(), way) {
            None => self.complain(format!("no breakpoint is hit {}", beyond(way))),
            Some((place, breakpoint)) => {
                self.cursor.go(place);
                let words = breakpoint.words(self.recording.names());
                match self.recording.findings_at(place).next() {
                    Some(finding) => self.say(format!("{words}: {}", told(finding))),
                    None => self.say(format!("breakpoint {words}")),
                }
                if let Breakpoint::Client(client) = breakpoint {
                    self.follow(client);
                }
            }
        }
    }

    fn find(&mut self, way: Way) {
        if self.needle.is_empty() {
            self.complain("nothing to search for yet: / starts a search");
            return;
        }
        match self.recording.search(self.place(), way, &self.needle) {
            Some(place) => self.cursor.go(place),
            None => self.complain(format!("no \"{}\" {}", self.needle, beyond(way))),
        }
    }

    fn follow(&mut self, client: ClientId) {
        if Some(client) != self.followed {
            self.followed = Some(client);
            self.story = self.recording.story(self.followed);
        }
    }

    fn follow_flagged(&mut self) {
        let names = self.recording.names();
        let named = self.recording.report().findings.iter();
        let named = named.filter_map(|finding| finding.client.as_deref());
        let mut flagged: Vec<ClientId> = named
            .filter_map(|name| names.client_named(name).ok())
            .collect();
        flagged.sort_unstable();
        let next = flagged.iter().find(|client| Some(**client) > self.followed);
        match next.or(flagged.first()) {
            Some(client) => self.follow(*client),
            None => self.complain("no client has a finding"),
        }
    }
}

fn beyond(way: Way) -> &'static str {
    match way {
        Way::Forward => "from here to the end",
        Way::Back => "between the beginning and here",
    }
}

/// A finding in a sentence or two.
fn told(finding: &Finding) -> String {
    let who = [finding.client.as_deref(), finding.command.as_deref()];
    let who: Vec<_> = who.into_iter().flatten().collect();
    format!("{}: {}", who.join(" "), finding.why)
}
