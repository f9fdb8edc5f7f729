//! Whole commands of clients, as recordings have them: put together from what the clients trace.

use std::collections::BTreeMap;

use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote, Policy};
use rebound_sim::conform::answer::Resp;
use rebound_sim::conform::recording::{Event as LineEvent, Hop};
use rebound_sim::engine::Time;
use rebound_sim::trace::Event;
use rebound_sim::valkey::NodeId;
use serde_json::Value;

use super::stage::{Stage, letter};

/// How many redirects of a command a recording shows.
const SHOWN_HOPS: usize = 12;

/// A command that has no end yet.
struct Open {
    issued: Time,
    cmd: Option<String>,
    start: Option<NodeId>,
    hops: Vec<Hop>,
    count: u32,
    back: u32,
}

/// The commands that have no end yet.
#[derive(Default)]
pub struct Ops {
    open: BTreeMap<(ClientId, u32), Open>,
    /// The command that a client has just issued and not sent.
    fresh: BTreeMap<ClientId, u32>,
}

impl Ops {
    /// A client sends something: if it has just issued a command, that one.
    pub fn sent(&mut self, id: ClientId, to: NodeId, words: &[String]) {
        let Some(number) = self.fresh.get(&id).copied() else {
            return;
        };
        // What a library sends on its own is not the command.
        let own = matches!(
            words.first().map(String::as_str),
            Some("CLIENT" | "READONLY" | "ROLE")
        );
        if own {
            return;
        }
        self.fresh.remove(&id);
        if let Some(open) = self.open.get_mut(&(id, number)) {
            open.cmd = Some(words.join(" "));
            open.start = Some(to);
        }
    }

    /// A client traces something.
    pub fn note(
        &mut self,
        stage: &Stage,
        policy: &Policy,
        now: Time,
        event: &Event,
        last: Option<&Resp>,
    ) {
        match *event {
            Event::Client(client, ClientNote::Issued { command, .. }) => {
                let open = Open {
                    issued: now,
                    cmd: None,
                    start: None,
                    hops: Vec::new(),
                    count: 0,
                    back: 0,
                };
                self.open.insert((client, command), open);
                self.fresh.insert(client, command);
            }
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    from,
                    to,
                    bounce,
                    ..
                },
            ) => {
                if let Some(open) = self.open.get_mut(&(client, command)) {
                    open.start.get_or_insert(from);
                    open.count += 1;
                    open.back += u32::from(bounce);
                    if open.hops.len() < SHOWN_HOPS {
                        let (host, port) = stage.real_address(to);
                        let text = format!("-REDIRECT {host}:{port}");
                        open.hops
                            .push(Hop(letter(from), stage.millis_at(now), text));
                    }
                }
            }
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    kind,
                    outcome,
                    from,
                    ..
                },
            ) => {
                let Some(open) = self.open.remove(&(client, command)) else {
                    return;
                };
                let answered = matches!(
                    outcome,
                    CommandOutcome::Served | CommandOutcome::Error(_) | CommandOutcome::Redirect
                );
                let failure = outcome.code().filter(|_| !answered);
                let node = stage.plan.addresses.node(from).unwrap_or(NodeId(0));
                let errs = failure.map(|code| {
                    rebound_sim::conform::recording::Failure(
                        letter(node),
                        stage.millis_at(now),
                        code.to_owned(),
                    )
                });
                let line = LineEvent::Op {
                    kind: match (policy.capa, policy.readonly) {
                        (true, true) => "capa+ro",
                        (true, false) => "capa",
                        (false, _) => "plain",
                    }
                    .to_owned(),
                    cmd: open.cmd.unwrap_or_else(|| kind.name().to_owned()),
                    t0: stage.millis_at(open.issued),
                    start: letter(open.start.unwrap_or(node)),
                    node: letter(node),
                    last: last.filter(|_| answered).map_or(Value::Null, Resp::json),
                    red: open.count,
                    back: open.back,
                    hops: open.hops,
                    nerr: u32::from(errs.is_some()),
                    errs: errs.into_iter().collect(),
                    lat: now.since(open.issued).as_nanos() as f64 / 1e6,
                };
                stage.line(stage.plan.client_name(client), line);
            }
            Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Client(_, ClientNote::Element { .. } | ClientNote::Ignored { .. })
            | Event::Fault { .. } => {}
        }
    }
}
