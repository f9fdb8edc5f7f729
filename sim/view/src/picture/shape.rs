//! What a picture consists of. It is written as JSON for the scripts of a page, of the same build
//! only: it is no format to read elsewhere.

use serde::Serialize;

use super::texts::Text;
use crate::StoryKind;
use rebound_engine::Time;
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A run laid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// When the run ended, in nanoseconds of virtual time, as all times here.
    pub end: u64,
    /// The part of the run whose events are here.
    pub window: Window,
    /// Events in the window that are not here, because there are too many.
    pub left_out: u64,
    /// Nodes, then clients, then Sentinel if there is one, then the operator.
    pub lanes: Vec<Lane>,
    /// The names of kinds of events, in the order of their numbers.
    pub kinds: Vec<&'static str>,
    /// The names of classes of messages, in the order of their numbers.
    pub classes: Vec<&'static str>,
    /// The sentences that texts refer to.
    pub texts: TextTable,
    /// All events in the window.
    pub events: Events,
    /// What every lane's host is and does.
    pub states: States,
    /// What nodes are over time.
    pub bands: Vec<Band>,
    /// Messages that never arrived.
    pub undelivered: Vec<Undelivered>,
}

/// A part of a run's time.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Nothing earlier.
    pub from: u64,
    /// Nothing as late or later; absent for all that comes.
    pub until: Option<u64>,
}

impl Window {
    pub(super) fn admits(self, at: Time) -> bool {
        at.nanos() >= self.from && !self.is_over(at)
    }

    pub(super) fn is_over(self, at: Time) -> bool {
        self.until.is_some_and(|until| at.nanos() >= until)
    }
}

/// Whose time runs along a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// The host's name.
    pub name: String,
    /// What it is.
    pub kind: LaneKind,
    /// For a client that a finding names, the place of the first that does.
    pub flagged: Option<u32>,
}

/// What a lane's host is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneKind {
    /// A server.
    Node,
    /// A client.
    Client,
    /// Sentinel.
    Sentinel,
    /// The operator.
    Operator,
}

/// What a message is, or that an event is not a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumCount, VariantArray, IntoStaticStr)]
#[repr(u8)]
#[strum(serialize_all = "kebab-case")]
pub enum Class {
    /// No message.
    Point,
    /// A request of a client, Sentinel or the operator.
    Request,
    /// A reply to one.
    Reply,
    /// A reply that is an error.
    Error,
    /// A reply that sends a client on.
    Redirect,
    /// Messages of replication handshakes and hand-overs.
    Handshake,
    /// Everything else between nodes.
    Replication,
}

impl Class {
    /// Every class, in the order of their numbers.
    pub const ALL: [Class; Class::COUNT] = *Class::VARIANTS.first_chunk().unwrap();

    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Serialize for Class {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// Sentences, in which U+0001 stands for a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextTable {
    /// The sentences.
    pub sentences: Vec<String>,
}

/// Events as columns: the same place in each is one event. They are in the order in which they
/// happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Events {
    /// When, each as the time since the one before.
    pub since_last: Vec<u64>,
    /// Its number in the whole run's trace, each as the difference from the one before.
    pub number: Vec<u64>,
    /// Which kind of event.
    pub kind: Vec<u8>,
    /// Which class of message.
    pub class: Vec<Class>,
    /// To whom it happens: for a message, its receiver.
    pub lane: Vec<u32>,
    /// One more than the lane of the other host concerned, for a message its sender; zero if
    /// there is none.
    pub other: Vec<u32>,
    /// How long a message travelled.
    pub travelled: Vec<u64>,
    /// One more than the command's number with its client; zero if it is about none.
    pub command: Vec<u64>,
    /// How many rows before this one is that of the decision or the redirect that led to it;
    /// zero if it is unknown.
    pub decided: Vec<u32>,
    /// For a redirect and its following: twice its number with the command, and one more if it
    /// leads back; zero for anything else.
    pub hop: Vec<u64>,
    /// Its sentence.
    pub sentence: Vec<u32>,
    /// The numbers of all sentences, one after the other.
    pub numbers: Vec<u64>,
    #[serde(skip)]
    last_at: u64,
    #[serde(skip)]
    last_number: u64,
}

/// An event as it is added.
pub(super) struct Row {
    pub at: u64,
    pub number: u64,
    pub kind: StoryKind,
    pub class: Class,
    pub lane: u32,
    pub other: Option<u32>,
    pub travelled: u64,
    pub command: Option<u32>,
    pub decided_by: Option<u32>,
    pub text: Text,
}

impl Events {
    /// How many there are.
    #[allow(clippy::len_without_is_empty)] // nobody asks
    pub fn len(&self) -> u32 {
        self.kind.len() as u32
    }

    pub(super) fn push(&mut self, row: Row) {
        let index = self.len();
        self.since_last.push(row.at - self.last_at);
        self.last_at = row.at;
        self.number.push(row.number - self.last_number);
        self.last_number = row.number;
        self.kind.push(row.kind as u8);
        self.class.push(row.class);
        self.lane.push(row.lane);
        self.other.push(row.other.map_or(0, |lane| lane + 1));
        self.travelled.push(row.travelled);
        self.command
            .push(row.command.map_or(0, |command| u64::from(command) + 1));
        self.decided.push(row.decided_by.map_or(0, |by| index - by));
        self.hop.push(0);
        self.sentence.push(row.text.sentence);
        self.numbers.extend(row.text.numbers);
    }

    pub(super) fn mark_hop(&mut self, row: u32, hops: u32, bounce: bool) {
        self.hop[row as usize] = u64::from(hops) * 2 + u64::from(bounce);
    }
}

/// States as columns, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct States {
    /// Whose.
    pub lane: Vec<u32>,
    /// How many events were before it, each as the difference from the one before.
    pub after: Vec<u32>,
    /// Its sentence.
    pub sentence: Vec<u32>,
    /// The numbers of all sentences, one after the other.
    pub numbers: Vec<u64>,
    #[serde(skip)]
    last_after: u32,
}

impl States {
    pub(super) fn push(&mut self, lane: u32, after: u32, text: &Text) {
        self.lane.push(lane);
        self.after.push(after - self.last_after);
        self.last_after = after;
        self.sentence.push(text.sentence);
        self.numbers.extend(&text.numbers);
    }
}

/// What a node is for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The node's lane.
    pub lane: u32,
    /// What it is.
    pub kind: BandKind,
    /// Since when.
    pub from: u64,
    /// Until when.
    pub until: u64,
    /// What it is, in words; a whole sentence without numbers taken out.
    pub text: u32,
}

/// What a node is for a while.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandKind {
    /// A primary.
    Primary,
    /// A replica whose link is up.
    Replica,
    /// A replica whose link is down.
    LinkDown,
    /// A replica that gets a snapshot.
    Synchronizing,
    /// Its process or its machine is not there.
    Absent,
    /// `FAILOVER_WAIT_FOR_SYNC`: writes are paused.
    WaitingForSync,
    /// `FAILOVER_IN_PROGRESS`: it has demoted itself, writes are paused.
    InProgress,
    /// A manual failover of the cluster pauses writes.
    ManualFailover,
    /// It holds postponed commands.
    Holding,
    /// It suffers from a fault.
    Fault,
}

/// A message that never arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undelivered {
    /// When it was sent.
    pub at: u64,
    /// The sender's lane.
    pub from: u32,
    /// The receiver's lane.
    pub to: u32,
    /// What it is.
    pub class: Class,
    /// Whether its connection is over, so that it is lost; else it was on its way when the run
    /// ended.
    pub lost: bool,
    /// What it says; a whole sentence without numbers taken out.
    pub text: u32,
}
