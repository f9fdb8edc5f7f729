//! Puts what is to be drawn into rows.

use super::columns::columns;
use super::condense::{Folded, Item, condense, is_slow, shown_at};
use super::recorder::{Drawn, Recorder};
use super::{Arrow, Column, Diagram, Fate, Fold, Life, Note, Row, What};
use rebound_engine::Time;
use rebound_sim::results::RunReport;
use rebound_sim::scenario::HostRole;

/// A row to be.
struct Draft {
    at: Time,
    order: u64,
    what: What,
}

/// The diagram of what was recorded.
pub(super) fn build(recorder: &Recorder, report: &RunReport, limit: Option<usize>) -> Diagram {
    let items = condense(recorder);
    let hosts = columns(recorder, &items);
    let place = |host: HostRole| hosts.iter().position(|h| *h == host);
    let mut arrows = Vec::new();
    let mut drafts = Vec::new();
    for item in items {
        match item {
            Item::Fold(fold) => drafts.push(folded(fold, &place)),
            Item::Entry(entry) => {
                let entry = &recorder.entries[entry];
                let (at, order) = (shown_at(entry), entry.order);
                match &entry.what {
                    Drawn::Note {
                        who,
                        label,
                        detail,
                        look,
                        ..
                    } => drafts.push(Draft {
                        at,
                        order,
                        what: What::Note(Note {
                            column: place(*who),
                            label: label.clone(),
                            detail: detail.clone(),
                            look: *look,
                        }),
                    }),
                    Drawn::Arrow(arrow) => {
                        let (Some(from), Some(to)) = (place(arrow.from), place(arrow.to)) else {
                            continue;
                        };
                        let index = arrows.len();
                        arrows.push(Arrow {
                            from,
                            to,
                            sent: arrow.sent,
                            fate: arrow.fate,
                            label: arrow.label.clone(),
                            detail: arrow.detail.clone(),
                            look: arrow.look,
                        });
                        let arrived = matches!(arrow.fate, Fate::Arrived(_));
                        if !(arrived && is_slow(arrow)) {
                            let what = What::Arrow(index);
                            drafts.push(Draft { at, order, what });
                            continue;
                        }
                        if arrow.sent >= recorder.filter.from {
                            drafts.push(Draft {
                                at: arrow.sent,
                                order: arrow.sent_order,
                                what: What::Departs(index),
                            });
                        }
                        if at < recorder.filter.until {
                            let what = What::Arrives(index);
                            drafts.push(Draft { at, order, what });
                        }
                    }
                }
            }
        }
    }
    drafts.sort_by_key(|draft| (draft.at, draft.order));
    join(&mut drafts);
    let most = limit.unwrap_or(usize::MAX);
    let cut = drafts.len().saturating_sub(most) as u64;
    drafts.truncate(most);
    let columns = hosts
        .iter()
        .map(|host| column(recorder, *host, &drafts))
        .collect();
    Diagram {
        title: format!(
            "{} under {}, seed {}: {}",
            report.scenario,
            report.behaviour,
            report.seed,
            report.verdict.name()
        ),
        columns,
        arrows,
        rows: drafts
            .into_iter()
            .map(|draft| Row {
                at: draft.at,
                what: draft.what,
            })
            .collect(),
        cut,
    }
}

/// An arrow needs two rows only if there is something between them.
fn join(drafts: &mut Vec<Draft>) {
    let mut place = 0;
    while place + 1 < drafts.len() {
        if let (What::Departs(one), What::Arrives(other)) =
            (&drafts[place].what, &drafts[place + 1].what)
            && one == other
        {
            let arrow = *one;
            drafts[place + 1].what = What::Arrow(arrow);
            drafts.remove(place);
        }
        place += 1;
    }
}

fn folded(fold: Folded, place: &impl Fn(HostRole) -> Option<usize>) -> Draft {
    let mut columns: Vec<_> = fold.hosts.iter().filter_map(|host| place(*host)).collect();
    columns.sort_unstable();
    Draft {
        at: fold.at,
        order: fold.order,
        what: What::Fold(Fold {
            columns,
            label: fold.label,
            until: fold.until,
            bounces: fold.bounces,
        }),
    }
}

fn column(recorder: &Recorder, host: HostRole, drafts: &[Draft]) -> Column {
    let name = match host {
        HostRole::Node(node) => recorder.run.names().node(node).to_owned(),
        HostRole::Client(client) => recorder.run.names().client(client),
        HostRole::Operator => "operator".to_owned(),
        HostRole::Sentinel => rebound_sim::scenario::SENTINEL.to_owned(),
    };
    let lives = match host {
        HostRole::Client(_) | HostRole::Operator => vec![(0, Life::Client)],
        HostRole::Sentinel => vec![(0, Life::Sentinel)],
        HostRole::Node(node) => {
            let mut lives: Vec<(usize, Life)> = Vec::new();
            let own = recorder.lives.iter();
            for (at, order, life) in own
                .filter(|(n, ..)| *n == node)
                .map(|(_, c, l)| (c.0, c.1, *l))
            {
                let row = drafts
                    .iter()
                    .position(|draft| (draft.at, draft.order) >= (at, order));
                let row = match row {
                    Some(row) => row,
                    None if lives.is_empty() => 0,
                    None => continue,
                };
                // Of several changes before one row the last one counts.
                if lives.last().is_some_and(|(last, _)| *last == row) {
                    lives.pop();
                }
                if lives.last().is_none_or(|(_, last)| *last != life) {
                    lives.push((row, life));
                }
            }
            lives
        }
    };
    Column { name, lives }
}
