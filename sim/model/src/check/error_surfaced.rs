//! `error-surfaced`: an error caused by the failover reached an application.

use std::sync::Arc;

use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::client::{ClientId, CommandOutcome, Note as ClientNote};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{CommandKind, ErrorKind};
use rebound_engine::Time;

/// One kind of error: how often, and where first.
#[derive(Clone, Debug)]
struct Kind {
    code: &'static str,
    text: &'static str,
    count: u64,
    first: (Time, (ClientId, u32, CommandKind)),
}

/// The check.
pub(super) struct ErrorSurfaced {
    ignore: Vec<String>,
    kinds: Vec<Kind>,
}

impl Check for ErrorSurfaced {
    const LISTENS: Topics = Topics::of(&[Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> ErrorSurfaced {
        let config = &plan.checks.error_surfaced;
        ErrorSurfaced {
            ignore: config.ignore.clone(),
            kinds: Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.kinds.clear();
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, _findings: &mut Findings) {
        if let Event::Client(
            client,
            ClientNote::Ended {
                command,
                kind,
                outcome,
                ..
            },
        ) = *event
            && outcome != CommandOutcome::Served
        {
            self.add(now, (client, command, kind), outcome);
        }
    }

    fn end(&mut self, _ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
        for kind in &self.kinds {
            let (at, command) = kind.first;
            findings.add(CheckId::ErrorSurfaced, || {
                let more = match kind.count {
                    1 => "The only one of its kind".to_owned(),
                    count => format!("The first of {count} of its kind"),
                };
                let why = format!(
                    "{more} ({}): the application got \"{}\".",
                    kind.code,
                    kind.text.trim_start_matches('-')
                );
                Found::of_command(CheckId::ErrorSurfaced, at, command, why)
            });
        }
    }
}

impl ErrorSurfaced {
    #[cold]
    fn add(&mut self, at: Time, command: (ClientId, u32, CommandKind), outcome: CommandOutcome) {
        let Some(code) = outcome.code() else { return };
        // An application that uses a key in two ways gets it with or without a failover.
        let own_fault = outcome == CommandOutcome::Error(ErrorKind::WrongType);
        if own_fault || self.ignore.iter().any(|ignored| ignored == code) {
            return;
        }
        if let Some(kind) = self.kinds.iter_mut().find(|kind| kind.code == code) {
            kind.count += 1;
            return;
        }
        let text = match outcome {
            CommandOutcome::Error(error) => error.text(),
            CommandOutcome::Served => "",
            CommandOutcome::Redirect => "a redirect that its library did not follow (further)",
            CommandOutcome::TimedOut => "no reply in time",
            CommandOutcome::Disconnected => "a lost connection",
            CommandOutcome::Unreachable => "no connection",
        };
        self.kinds.push(Kind {
            code,
            text,
            count: 1,
            first: (at, command),
        });
    }
}
