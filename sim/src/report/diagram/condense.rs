//! How a diagram is kept short, much as a story is: commands that are served at once become one
//! row, and so do the many redirects in the middle of a chain. What is routine is left out
//! unless it takes long or never arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::recorder::{Drawn, Entry, Flight, Recorder};
use super::{ArrowLook, Fate};
use crate::client::ClientId;
use crate::engine::{Span, Time};
use crate::report::names::HostRole;
use crate::report::words;
use crate::trace::CommandOutcome;

/// A message that takes as long is shown even if it is routine, and in two rows.
pub(super) const SLOW: Span = Span::millis(100);

/// Redirects at the beginning of a chain that are shown.
const BEGINNING: u32 = 4;

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
    /// Redirects or commands.
    count: u64,
    counted: BTreeSet<u32>,
}

/// What becomes of an entry.
enum Treatment {
    Show,
    Drop,
    Chain(ClientId, u32),
    Quiet(ClientId, u32),
}

/// Whose fold it is: of a command's redirects, or of a client's quiet commands.
type Whose = (ClientId, Option<u32>);

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
pub(super) fn condense(recorder: &Recorder<'_>) -> Vec<Item> {
    let entries = &recorder.entries;
    let filter = &recorder.filter;
    let within = |place: &usize| {
        let entry = &entries[*place];
        let sent = match &entry.what {
            Drawn::Arrow(arrow) => arrow.sent,
            Drawn::Note { at, .. } => *at,
        };
        // A message is there if it begins or ends in the stretch, or is under way all through.
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

struct Condenser<'r, 'a> {
    recorder: &'r Recorder<'a>,
    items: Vec<Item>,
    /// Folds that may grow: their places among the items.
    open: BTreeMap<Whose, usize>,
    slow: BTreeSet<(ClientId, u32)>,
}

impl Condenser<'_, '_> {
    fn take(&mut self, place: usize) {
        let entry = &self.recorder.entries[place];
        match self.treatment(entry) {
            Treatment::Drop => {}
            Treatment::Show => {
                self.close_for(entry);
                self.items.push(Item::Entry(place));
            }
            Treatment::Chain(client, number) => {
                self.grow((client, Some(number)), place, number);
            }
            Treatment::Quiet(client, number) => self.grow((client, None), place, number),
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
            return if entry.routine { Treatment::Drop } else { Treatment::Show };
        };
        if let Some((client, number, told)) = told {
            let served = told.outcome == Some(CommandOutcome::Served);
            let slow = self.slow.contains(&(client, number));
            if served && told.hops == 0 && !told.held && !slow {
                return Treatment::Quiet(client, number);
            }
            let middle = entry.leg >= BEGINNING && entry.leg.saturating_add(2) <= told.hops;
            if middle && !is_slow(arrow) {
                return Treatment::Chain(client, number);
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
        self.open.retain(|(client, chain), _| match whose {
            Some(whose) => *client != whose,
            None => chain.is_none(),
        });
    }

    fn grow(&mut self, whose: Whose, place: usize, number: u32) {
        let entry = &self.recorder.entries[place];
        let at = shown_at(entry);
        if whose.1.is_some() {
            // The redirects end what was served at once.
            self.open.remove(&(whose.0, None));
        }
        let items = &mut self.items;
        let index = *self.open.entry(whose).or_insert_with(|| {
            items.push(Item::Fold(Folded {
                at,
                order: entry.order,
                until: at,
                hosts: Vec::new(),
                label: String::new(),
                bounces: true,
                members: Vec::new(),
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
        match whose.1 {
            Some(_) => {
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
            None => {
                fold.count += u64::from(fold.counted.insert(number));
                fold.bounces = false;
            }
        }
    }

    fn done(self) -> Vec<Item> {
        let mut done = Vec::new();
        for item in self.items {
            match item {
                Item::Entry(place) => done.push(Item::Entry(place)),
                // Too little to leave out.
                Item::Fold(fold) if fold.counted.is_empty() && fold.count <= 1 => {
                    done.extend(fold.members.into_iter().map(Item::Entry));
                }
                Item::Fold(mut fold) => {
                    fold.label = if !fold.counted.is_empty() {
                        let commands = words::count(fold.count, "command");
                        format!("… {commands} served at once")
                    } else {
                        let redirects = words::count(fold.count, "more redirect");
                        let how = if fold.bounces { " back and forth" } else { "" };
                        format!("… {redirects}{how}")
                    };
                    done.push(Item::Fold(fold));
                }
            }
        }
        done
    }
}
