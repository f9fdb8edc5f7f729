//! A run as a sequence diagram: which columns, arrows, notes and folds it has, decided once for
//! everything that draws one.

mod columns;
mod condense;
mod kinds;
mod labels;
mod recorder;
mod rows;
#[cfg(test)]
mod tests;

use rebound_engine::Time;

pub use recorder::Recorder;

/// A sequence diagram. Time runs downwards, row by row, and not to scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// The run: scenario, behaviour, seed and verdict.
    pub title: String,
    /// Who takes part, from left to right.
    pub columns: Vec<Column>,
    /// The arrows that rows name by their place here.
    pub arrows: Vec<Arrow>,
    /// What happens, in order of time.
    pub rows: Vec<Row>,
    /// Rows that were left out at the end because of the limit.
    pub cut: u64,
}

/// One who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it is from which row on, in order; the first entry is of row 0.
    pub lives: Vec<(usize, Life)>,
}

/// What one who takes part is for a while.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// A client.
    Client,
    /// Sentinel.
    Sentinel,
    /// A node that believes it is the primary.
    Primary,
    /// A node that believes it is a replica.
    Replica,
    /// A node whose process is stopped.
    Stopped,
    /// A node without a process, or without a network.
    Down,
}

impl Life {
    /// In a word; nothing for who is always the same.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Life::Client | Life::Sentinel => None,
            Life::Primary => Some("primary"),
            Life::Replica => Some("replica"),
            Life::Stopped => Some("stopped"),
            Life::Down => Some("down"),
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A whole arrow, by its place in [`Diagram::arrows`].
    Arrow(usize),
    /// An arrow begins that ends in a later row.
    Departs(usize),
    /// An arrow ends that has begun in an earlier row, or before the first one.
    Arrives(usize),
    /// A note.
    Note(Note),
    /// What was left out between two rows.
    Fold(Fold),
}

/// A message or an attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The column where it begins.
    pub from: usize,
    /// The column where it ends, or would.
    pub to: usize,
    /// When it was sent.
    pub sent: Time,
    /// What became of it.
    pub fate: Fate,
    /// What it is, in at most [`Arrow::LABEL`] characters.
    pub label: String,
    /// What it is, in full.
    pub detail: String,
    /// What it means.
    pub look: ArrowLook,
}

impl Arrow {
    /// The most characters that a label has.
    pub const LABEL: usize = 24;
}

/// What becomes of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrived(Time),
    /// It never does: its connection or its receiver is gone.
    Lost,
    /// It is still on its way when the run ends.
    UnderWay,
}

/// What an arrow means.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArrowLook {
    /// Something is asked for.
    Request,
    /// It is answered.
    Reply,
    /// It is answered with an error.
    Error,
    /// It is answered with a redirect.
    Redirect,
    /// It is answered with a redirect back to where it came from.
    Bounce,
    /// Nodes hand over, synchronize or vote.
    Handshake,
    /// A connection is opened.
    Connect,
}

impl ArrowLook {
    /// Whether it answers something.
    pub const fn answers(self) -> bool {
        match self {
            ArrowLook::Reply | ArrowLook::Error | ArrowLook::Redirect | ArrowLook::Bounce => true,
            ArrowLook::Request | ArrowLook::Handshake | ArrowLook::Connect => false,
        }
    }
}

/// Something that happens to one who takes part, or is true of the whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its column; none if it concerns all.
    pub column: Option<usize>,
    /// In a few words.
    pub label: String,
    /// In full.
    pub detail: String,
    /// What it means.
    pub look: NoteLook,
}

/// What a note means.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLook {
    /// A role, a link or a failover's state changes, or something happens in the cluster.
    State,
    /// An operator or Sentinel acts.
    Operator,
    /// A fault begins.
    Fault,
    /// A fault ends.
    Healed,
    /// Commands are held, or let go.
    Held,
    /// A command ends well, after all.
    Good,
    /// A command ends badly, or a connection does.
    Bad,
    /// A check has found something.
    Finding,
}

/// Much that is alike, in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The columns concerned, in order.
    pub columns: Vec<usize>,
    /// What was left out.
    pub label: String,
    /// When the last of it happened.
    pub until: Time,
    /// Whether these are redirects that lead back.
    pub bounces: bool,
}
