//! Whole commands of clients, as recordings have them: put together from what the clients trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::answer::Resp;
use crate::recording::{Event as LineEvent, Hop};
use rebound_engine::Time;
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote, Policy};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::NodeId;
use rebound_view::Run;
use serde_json::Value;

use super::stage::{Stage, letter};

/// How a command was sent first.
struct Sent {
    cmd: String,
    to: NodeId,
}

/// The commands that have no end yet.
pub(crate) struct Ops {
    run: Run,
    sent: BTreeMap<(ClientId, u32), Sent>,
}

impl Ops {
    /// Of a run of this plan that has not begun.
    pub fn new(plan: &Arc<Plan>) -> Ops {
        Ops {
            run: Run::new(plan, plan.behaviour),
            sent: BTreeMap::new(),
        }
    }

    /// A client sends something: if it has just issued a command, that one.
    pub fn sent(&mut self, id: ClientId, to: NodeId, words: &[String]) {
        // What a library sends on its own is not the command.
        let own = matches!(
            words.first().map(String::as_str),
            Some("CLIENT" | "READONLY" | "ROLE")
        );
        if let Some(latest) = self.run.client(id).open().last()
            && !own
        {
            let sent = || Sent {
                cmd: words.join(" "),
                to,
            };
            self.sent.entry((id, latest.number)).or_insert_with(sent);
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
        self.run.observe(&Record {
            at: now,
            event: *event,
        });
        match *event {
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
                let sent = self.sent.remove(&(client, command));
                let Some(open) = self.run.client(client).command(command) else {
                    return;
                };
                let answered = matches!(
                    outcome,
                    CommandOutcome::Served | CommandOutcome::Error(_) | CommandOutcome::Redirect
                );
                let failure = outcome.code().filter(|_| !answered);
                let node = stage.plan.addresses.node(from).unwrap_or(NodeId(0));
                let errs = failure.map(|code| {
                    crate::recording::Failure(letter(node), stage.millis_at(now), code.to_owned())
                });
                let hops = open.path.iter().map(|hop| {
                    let (host, port) = stage.real_address(hop.to);
                    let text = format!("-REDIRECT {host}:{port}");
                    Hop(letter(hop.from), stage.millis_at(hop.at), text)
                });
                let first = open.path.first().map(|hop| hop.from);
                let start = sent.as_ref().map(|sent| sent.to).or(first);
                let line = LineEvent::Op {
                    kind: match (policy.capa, policy.readonly) {
                        (true, true) => "capa+ro",
                        (true, false) => "capa",
                        (false, _) => "plain",
                    }
                    .to_owned(),
                    cmd: sent.map_or_else(|| kind.name().to_owned(), |sent| sent.cmd),
                    t0: stage.millis_at(open.issued_at),
                    start: letter(start.unwrap_or(node)),
                    node: letter(node),
                    last: last.filter(|_| answered).map_or(Value::Null, Resp::json),
                    red: open.hops,
                    back: open.bounces,
                    hops: hops.collect(),
                    nerr: u32::from(errs.is_some()),
                    errs: errs.into_iter().collect(),
                    lat: now.since(open.issued_at).as_nanos() as f64 / 1e6,
                };
                stage.line(stage.plan.client_name(client), line);
            }
            Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Client(
                _,
                ClientNote::Issued { .. }
                | ClientNote::Hop { .. }
                | ClientNote::Element { .. }
                | ClientNote::Ignored { .. },
            )
            | Event::Fault { .. } => {}
        }
    }
}
