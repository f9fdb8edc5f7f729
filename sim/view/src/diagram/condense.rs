//! How a diagram is kept short, much as a story is: commands that are served at once become one
//! row, and so do the many redirects in the middle of a chain and what is tried over and over.
//! What is routine is left out unless it takes long or never arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::recorder::{Drawn, Entry, Flight, Recorder};
use super::{ArrowLook, Fate};
use crate::words;
use rebound_engine::{Duration, Time};
use rebound_sim::client::{ClientId, CommandOutcome};
use rebound_sim::scenario::HostRole;

/// A message that takes as long is shown even if it is routine, and in two rows.
pub(super) const SLOW: Duration = Duration::millis(100);

/// Redirects at the beginning of a chain that are shown.
const BEGINNING: u32 = 4;

/// How often the same is shown in a row.
const ALIKE: u32 = 2;

/// What is to be drawn.
pub(super) enum Item {
    /// An entry, by its place.
    Entry(usize),
    /// What was left out.
    Fold(Folded),
}

/// What was left out.
pub(super) struct Folded {
    pub at: Time,
    pub order: u64,
    pub until: Time,
    pub hosts: Vec<HostRole>,
    pub label: String,
    pub bounces: bool,
    /// Their places, as long as there are few.
    members: Vec<usize>,
    kind: Kind,
    /// Redirects, commands or repetitions.
    count: u64,
    counted: BTreeSet<u32>,
}

/// What becomes of an entry.
enum Treatment {
    Show,
    Drop,
    /// It is folded with others. The number is the command's.
    Fold(Kind, u32),
}

/// What is folded.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The redirects of a command.
    Chain(ClientId, u32),
    /// What of a client's is served at once.
    Quiet(ClientId),
    /// The same over and over.
    Alike,
}

/// When an entry is shown.
pub(super) fn shown_at(entry: &Entry) -> Time {
    match &entry.what {
        Drawn::Arrow(arrow) => match arrow.fate {
            Fate::Arrived(at) => at,
            Fate::Lost | Fate::UnderWay => arrow.sent,
        },
        Drawn::Note { at, .. } => *at,
    }
}

/// Whether an arrow took long, or never arrived.
pub(super) fn is_slow(arrow: &Flight) -> bool {
    match arrow.fate {
        Fate::Arrived(at) => at.since(arrow.sent) >= SLOW,
        Fate::Lost | Fate::UnderWay => true,
    }
}

/// What is to be drawn, in order.
pub(super) fn condense(recorder: &Recorder) -> Vec<Item> {
    let entries = &recorder.entries;
    let filter = &recorder.filter;
    let within = |place: &usize| {
        let entry = &entries[*place];
        let sent = match &entry.what {
            Drawn::Arrow(arrow) => arrow.sent,
            Drawn::Note { at, .. } => *at,
        };
        // A message is there if it begins or ends in the stretch, or is in flight throughout.
        shown_at(entry) >= filter.from && sent < filter.until
    };
    let mut places: Vec<usize> = (0..entries.len()).filter(within).collect();
    places.sort_by_key(|place| (shown_at(&entries[*place]), entries[*place].order));
    if !filter.condensed {
        return places.into_iter().map(Item::Entry).collect();
    }
    let mut condenser = Condenser {
        recorder,
        items: Vec::new(),
        open: BTreeMap::new(),
        slow: slow_commands(entries),
        last: None,
    };
    for place in places {
        condenser.take(place);
    }
    condenser.done()
}

/// Commands of which a message took long or never arrived.
fn slow_commands(entries: &[Entry]) -> BTreeSet<(ClientId, u32)> {
    let slow = entries.iter().filter(|entry| match &entry.what {
        Drawn::Arrow(arrow) => is_slow(arrow),
        Drawn::Note { .. } => true,
    });
    slow.filter_map(|entry| match entry.of {
        Some((client, Some(number))) => Some((client, number)),
        Some((_, None)) | None => None,
    })
    .collect()
}

struct Condenser<'r> {
    recorder: &'r Recorder,
    items: Vec<Item>,
    /// Folds that may grow: their places among the items.
    open: BTreeMap<Kind, usize>,
    slow: BTreeSet<(ClientId, u32)>,
    /// The latest that was shown, and how often in a row.
    last: Option<(usize, u32)>,
}

impl Condenser<'_> {
    fn take(&mut self, place: usize) {
        let entry = &self.recorder.entries[place];
        match self.treatment(entry) {
            Treatment::Drop => {}
            Treatment::Show => {
                let again = self.last.filter(|(last, _)| self.is_alike(*last, place));
                match again {
                    Some((_, times)) if times >= ALIKE => self.grow(Kind::Alike, place, 0),
                    Some((_, times)) => {
                        self.last = Some((place, times + 1));
                        self.items.push(Item::Entry(place));
                    }
                    None => {
                        self.close_for(entry);
                        self.last = Some((place, 1));
                        self.items.push(Item::Entry(place));
                    }
                }
            }
            Treatment::Fold(kind, number) => self.grow(kind, place, number),
        }
    }

    /// Whether two entries show the same, but for the time.
    fn is_alike(&self, one: usize, other: usize) -> bool {
        let entries = &self.recorder.entries;
        match (&entries[one].what, &entries[other].what) {
            (Drawn::Arrow(one), Drawn::Arrow(other)) => {
                let ends = |arrow: &Flight| (arrow.from, arrow.to);
                let lost = |arrow: &Flight| arrow.fate == Fate::Lost;
                ends(one) == ends(other) && one.label == other.label && lost(one) == lost(other)
            }
            (Drawn::Arrow(_), Drawn::Note { .. }) | (Drawn::Note { .. }, _) => false,
        }
    }

    fn treatment(&self, entry: &Entry) -> Treatment {
        let told = match entry.of {
            Some((client, Some(number))) => {
                let told = self.recorder.commands.get(&(client, number));
                told.map(|told| (client, number, told))
            }
            Some((_, None)) | None => None,
        };
        let Drawn::Arrow(arrow) = &entry.what else {
            return if entry.routine {
                Treatment::Drop
            } else {
                Treatment::Show
            };
        };
        if let Some((client, number, told)) = told {
            let served = told.outcome == Some(CommandOutcome::Served);
            let slow = self.slow.contains(&(client, number));
            if served && told.hops == 0 && !told.held && !slow {
                return Treatment::Fold(Kind::Quiet(client), number);
            }
            let middle = entry.leg >= BEGINNING && entry.leg.saturating_add(2) <= told.hops;
            if middle && !is_slow(arrow) {
                return Treatment::Fold(Kind::Chain(client, number), number);
            }
        }
        if entry.routine && !is_slow(arrow) {
            return Treatment::Drop;
        }
        Treatment::Show
    }

    /// Something else is shown: what was folded before stays before it. A client's quiet
    /// commands are parted only by what the client itself does.
    fn close_for(&mut self, entry: &Entry) {
        let whose = entry.of.map(|(client, _)| client);
        self.open.retain(|kind, _| match kind {
            Kind::Chain(client, _) => whose.is_some_and(|whose| whose != *client),
            Kind::Quiet(client) => whose != Some(*client),
            Kind::Alike => false,
        });
    }

    fn grow(&mut self, kind: Kind, place: usize, number: u32) {
        let entry = &self.recorder.entries[place];
        let at = shown_at(entry);
        match kind {
            // The redirects end what was served at once.
            Kind::Chain(client, _) => {
                self.open.remove(&Kind::Quiet(client));
                self.last = None;
            }
            Kind::Quiet(_) | Kind::Alike => {}
        }
        let items = &mut self.items;
        let index = *self.open.entry(kind).or_insert_with(|| {
            items.push(Item::Fold(Folded {
                at,
                order: entry.order,
                until: at,
                hosts: Vec::new(),
                label: String::new(),
                bounces: true,
                members: Vec::new(),
                kind,
                count: 0,
                counted: BTreeSet::new(),
            }));
            items.len() - 1
        });
        let Item::Fold(fold) = &mut self.items[index] else {
            return;
        };
        fold.until = fold.until.max(at);
        if fold.members.len() <= 2 * BEGINNING as usize {
            fold.members.push(place);
        }
        let Drawn::Arrow(arrow) = &entry.what else {
            return;
        };
        for host in [arrow.from, arrow.to] {
            if !fold.hosts.contains(&host) {
                fold.hosts.push(host);
            }
        }
        match kind {
            Kind::Chain(..) => {
                let redirect = match arrow.look {
                    ArrowLook::Redirect => Some(false),
                    ArrowLook::Bounce => Some(true),
                    ArrowLook::Request
                    | ArrowLook::Reply
                    | ArrowLook::Error
                    | ArrowLook::Handshake
                    | ArrowLook::Connect => None,
                };
                if let Some(bounce) = redirect {
                    fold.count += 1;
                    fold.bounces &= bounce;
                }
            }
            Kind::Quiet(_) => {
                fold.count += u64::from(fold.counted.insert(number));
                fold.bounces = false;
            }
            Kind::Alike => {
                fold.count += 1;
                fold.bounces = false;
                fold.label.clone_from(&arrow.label);
            }
        }
    }

    fn done(self) -> Vec<Item> {
        let mut done = Vec::new();
        for item in self.items {
            match item {
                Item::Entry(place) => done.push(Item::Entry(place)),
                // Too little to leave out.
                Item::Fold(fold) if fold.count <= 1 && !matches!(fold.kind, Kind::Quiet(_)) => {
                    done.extend(fold.members.into_iter().map(Item::Entry));
                }
                Item::Fold(mut fold) => {
                    fold.label = match fold.kind {
                        Kind::Quiet(_) => {
                            format!("… {} served at once", words::count(fold.count, "command"))
                        }
                        Kind::Chain(..) => {
                            let how = if fold.bounces { " back and forth" } else { "" };
                            format!("… {}{how}", words::count(fold.count, "more redirect"))
                        }
                        Kind::Alike => {
                            format!(
                                "… {}, {}",
                                fold.label,
                                words::count(fold.count, "more time")
                            )
                        }
                    };
                    done.push(Item::Fold(fold));
                }
            }
        }
        done
    }
}
