//! A recording's script: what the program that drives the servers and the operator did, and what they waited for.
//!
//! The lines of a recording say when. What counts is after what: a step is carried out so long
//! after the last condition before it as it was then, so that the model may take its own time in
//! between.

use super::error::RecordingError;
use super::evidence::{Delay, Stop};
use super::members::Members;
use super::recording::{Event, Line, Way};
use super::words::Words;
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{Command, FailoverState, NodeId, Role};

/// An instant of a recording, in whole nanoseconds.
pub fn instant(ms: f64) -> Time {
    // A float as large as it may be becomes the largest integer.
    Time((ms.max(0.0) * 1e6).round() as u64)
}

/// A length of a recording.
pub fn length(ms: f64) -> Duration {
    Duration(instant(ms).0)
}

/// What the script waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Every server but the first is a replica whose link is up.
    Paired,
    /// A server's failover is in this state.
    Failover(NodeId, FailoverState),
    /// A server has this role.
    Role(NodeId, Role),
    /// A server's link to its primary is up.
    Linked(NodeId),
    /// `PSYNC … FAILOVER` has been sent.
    PsyncFailover,
}

/// What the script does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A server is started.
    Start(NodeId),
    /// The operator says something.
    Say {
        /// To whom.
        node: NodeId,
        /// What, as recorded.
        text: String,
        /// What, or why the model cannot be asked it.
        command: Result<Command, String>,
        /// On a new connection.
        anew: bool,
    },
    /// A proxy holds what comes in.
    Hold(NodeId, Vec<Way>),
    /// It lets go.
    Release(NodeId, Vec<Way>),
    /// It breaks its connections; data in flight is lost.
    Cut(NodeId),
    /// It stops listening, or listens again.
    Refuse(NodeId, bool),
    /// From here on everything takes this much longer through it, one way.
    Delay(NodeId, Way, Duration),
    /// A process is stopped, or goes on.
    Stop(NodeId, bool),
    /// A process is killed.
    Kill(NodeId),
    /// A write and a `WAIT` for it, by somebody whom the recording does not show.
    Acknowledge(NodeId, [Command; 2]),
    /// A write, by somebody whom the recording does not show.
    Write(NodeId, Command),
    /// The recording ends.
    End,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Goes on when this is the case.
    Wait(Wait),
    /// Does this.
    Do(Act),
}

/// A step of the script, and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, in the recording.
    pub at: Time,
    /// Its line, counted from zero.
    pub line: usize,
    /// What.
    pub what: What,
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its steps, in order; the last is the end.
    pub steps: Vec<Step>,
    /// How late the recorder was at most.
    pub lag: Duration,
    /// What the script waited for that is not known here, so that only the clock is followed.
    pub unknown: Vec<String>,
}

impl Script {
    /// The script of a recording.
    ///
    /// # Errors
    /// If it has a step that cannot be carried out.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of many kinds of lines a few say this"
    )]
    pub fn of(
        recording: &[Line],
        members: &Members,
        words: &mut Words,
    ) -> Result<Script, RecordingError> {
        let mut script = Script {
            steps: Vec::new(),
            lag: Duration::ZERO,
            unknown: Vec::new(),
        };
        let operator = |line: &&Line| line.who == "admin";
        let connects = recording.iter().filter(operator);
        let connects = connects.filter(|line| matches!(line.event, Event::Connect { .. }));
        let one_by_one = connects.count() == 0;
        let mut anew = true;
        for (place, line) in recording.iter().enumerate() {
            match line.who.as_str() {
                "lab" => script.laboratory(line, place, members)?,
                "admin" => match &line.event {
                    Event::Connect { .. } => anew = true,
                    Event::Tx { node, cmd } => {
                        let act = Act::Say {
                            node: members.known(node, place)?,
                            text: cmd.clone(),
                            command: words.command(cmd),
                            anew: anew || one_by_one,
                        };
                        anew = false;
                        script.push(line, place, What::Do(act));
                    }
                    _ => {}
                },
                proxy => {
                    if let Some(node) = members.behind(proxy) {
                        script.proxy(line, place, node);
                    }
                }
            }
        }
        let over = recording.last().map_or(0, |_| recording.len() - 1);
        let end = recording.iter().map(|line| instant(line.t)).max();
        script.steps.push(Step {
            at: end.unwrap_or_default(),
            line: over,
            what: What::Do(Act::End),
        });
        Ok(script)
    }

    fn push(&mut self, line: &Line, place: usize, what: What) {
        self.steps.push(Step {
            at: instant(line.t),
            line: place,
            what,
        });
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of many kinds of lines a few say this"
    )]
    fn laboratory(
        &mut self,
        line: &Line,
        place: usize,
        members: &Members,
    ) -> Result<(), RecordingError> {
        let what = match &line.event {
            Event::Start { node, .. } => What::Do(Act::Start(members.known(node, place)?)),
            Event::Paired => What::Wait(Wait::Paired),
            Event::Mark { what } if what == "psync-failover-seen" => {
                What::Wait(Wait::PsyncFailover)
            }
            Event::Mark { what } => match what.strip_suffix(" listens again") {
                Some(proxy) => {
                    let node = members.behind(proxy).ok_or_else(|| {
                        RecordingError::at(place, format!("\"{what}\""), "a proxy's name in it")
                    })?;
                    What::Do(Act::Refuse(node, false))
                }
                // Says where the script is, and does nothing.
                None => return Ok(()),
            },
            Event::Reached { node, what } => match reached(node, what, place, members)? {
                Some(wait) => What::Wait(wait),
                None => {
                    self.unknown.push(what.clone());
                    return Ok(());
                }
            },
            Event::Signal { node, sig } => {
                let node = members.known(node, place)?;
                What::Do(match sig.as_str() {
                    "SIGSTOP" => Act::Stop(node, true),
                    "SIGCONT" => Act::Stop(node, false),
                    "SIGKILL" => Act::Kill(node),
                    _ => {
                        return Err(RecordingError::at(
                            place,
                            format!("the signal {sig}"),
                            "SIGSTOP, SIGCONT or SIGKILL",
                        ));
                    }
                })
            }
            Event::End { loop_maxlag_ms } => {
                self.lag = length(*loop_maxlag_ms);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.push(line, place, what);
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of many kinds of lines a few say this"
    )]
    fn proxy(&mut self, line: &Line, place: usize, node: NodeId) {
        match &line.event {
            Event::PxHold { dirs } => {
                self.push(line, place, What::Do(Act::Hold(node, dirs.clone())));
            }
            Event::PxRelease { dirs } => {
                self.push(line, place, What::Do(Act::Release(node, dirs.clone())));
            }
            Event::PxCut { .. } => self.push(line, place, What::Do(Act::Cut(node))),
            Event::PxRefuse => self.push(line, place, What::Do(Act::Refuse(node, true))),
            Event::PxListen => self.push(line, place, What::Do(Act::Refuse(node, false))),
            Event::PxDelay { ms } => {
                for way in [Way::C2s, Way::S2c] {
                    let act = Act::Delay(node, way, length(*ms));
                    self.push(line, place, What::Do(act));
                }
            }
            _ => {}
        }
    }

    /// When everything was in place and the script began, and which step that is.
    pub fn begin(&self) -> Option<(Time, usize)> {
        let waits = |step: &Step| step.what == What::Wait(Wait::Paired);
        let place = self.steps.iter().position(waits)?;
        Some((self.steps[place].at, place))
    }

    /// For how long processes were stopped.
    pub(crate) fn stops(&self) -> Vec<Stop> {
        let mut stops: Vec<Stop> = Vec::new();
        for step in &self.steps {
            if let What::Do(Act::Stop(node, stopped)) = step.what {
                let open = |stop: &&mut Stop| stop.node == node && stop.to == Time::NEVER;
                match (stopped, stops.iter_mut().find(open)) {
                    (true, None) => stops.push(Stop {
                        node,
                        from: step.at,
                        to: Time::NEVER,
                    }),
                    (false, Some(stop)) => stop.to = step.at,
                    (true, Some(_)) | (false, None) => {}
                }
            }
        }
        stops
    }

    /// Adds delays that no line says.
    pub fn delay(&mut self, delays: &[Delay]) {
        for delay in delays {
            self.insert(delay.at, Act::Delay(delay.node, delay.way, delay.by));
        }
    }

    /// Adds what makes a primary ask its replicas for an acknowledgement, a write and a `WAIT`
    /// for it, where no line says who did.
    pub(crate) fn ask_for_acknowledgements(&mut self, asked: &[(Time, NodeId)], words: &mut Words) {
        for (at, node) in asked {
            let commands = ["SET seed again", "WAIT 1 1000"];
            let commands = commands.map(|text| words.command(text));
            if let [Ok(set), Ok(wait)] = commands {
                self.insert(*at, Act::Acknowledge(*node, [set, wait]));
            }
        }
    }

    /// Adds a write just before `at`, to whom the operator speaks then: clients' writes have been
    /// left out of the recording, of which the replica had not acknowledged the last.
    pub(crate) fn write_before(&mut self, at: Time, words: &mut Words) {
        let mut spoken = self.steps.iter().filter_map(|step| {
            let Some(Act::Say { node, .. }) = step.act() else {
                return None;
            };
            (step.at == at).then_some(*node)
        });
        let spoken = spoken.next();
        if let (Some(node), Ok(set)) = (spoken, words.command("SET left out")) {
            let before = Time(at.0.saturating_sub(Duration::millis(2).0));
            self.insert(before, Act::Write(node, set));
        }
    }

    fn insert(&mut self, at: Time, act: Act) {
        let place = self.steps.partition_point(|step| step.at <= at);
        // The end stays last.
        let place = place.min(self.steps.len() - 1);
        let line = self.steps[place].line;
        let what = What::Do(act);
        self.steps.insert(place, Step { at, line, what });
    }
}

/// What a line `reached` says; none if it is not known.
fn reached(
    node: &str,
    what: &str,
    place: usize,
    members: &Members,
) -> Result<Option<Wait>, RecordingError> {
    let node = members.known(node, place)?;
    // Some say again of whom.
    let what = match what.split_once(' ') {
        Some((name, rest)) if members.node(name) == Some(node) => rest,
        _ => what,
    };
    Ok(match what {
        "waiting-for-sync" => Some(Wait::Failover(node, FailoverState::WaitForSync)),
        "in-progress" | "failover-in-progress" => {
            Some(Wait::Failover(node, FailoverState::InProgress))
        }
        "no-failover" => Some(Wait::Failover(node, FailoverState::NoFailover)),
        "master" | "primary" => Some(Wait::Role(node, Role::Primary)),
        "slave" | "replica" => Some(Wait::Role(node, Role::Replica)),
        "linked" => Some(Wait::Linked(node)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &[&str]) -> Result<Script, RecordingError> {
        let lines: Vec<Line> = lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect();
        let members = Members::of(&lines)?;
        let mut words = Words::new(members.addresses());
        Script::of(&lines, &members, &mut words)
    }

    const START: [&str; 2] = [
        r#"{"t":0,"who":"lab","ev":"start","node":"A","port":7001}"#,
        r#"{"t":1,"who":"lab","ev":"start","node":"B","port":7002}"#,
    ];

    #[test]
    fn steps_come_in_order() {
        let script = script(&[
            START[0],
            START[1],
            r#"{"t":2,"who":"PB","ev":"px_hold","dirs":["c2s"]}"#,
            r#"{"t":3,"who":"admin","ev":"tx","node":"A","cmd":"FAILOVER TO 127.0.0.1 7012"}"#,
            r#"{"t":4,"who":"lab","ev":"reached","node":"B","what":"B master"}"#,
            r#"{"t":5,"who":"lab","ev":"mark","what":"PB listens again"}"#,
            r#"{"t":6.5,"who":"lab","ev":"end","loop_maxlag_ms":2.5}"#,
        ])
        .expect("a script");
        let what: Vec<&What> = script.steps.iter().map(|step| &step.what).collect();
        let b = NodeId(1);
        assert_eq!(what[2], &What::Do(Act::Hold(b, vec![Way::C2s])));
        assert!(matches!(what[3], What::Do(Act::Say { command: Ok(_), .. })));
        assert_eq!(what[4], &What::Wait(Wait::Role(b, Role::Primary)));
        assert_eq!(what[5], &What::Do(Act::Refuse(b, false)));
        assert_eq!(what[6], &What::Do(Act::End));
        assert_eq!(script.steps[6].at, Time(6_500_000));
        assert_eq!(script.lag, Duration(2_500_000));
    }

    #[test]
    fn what_cannot_be_carried_out_is_an_error() {
        let error = script(&[
            START[0],
            START[1],
            r#"{"t":2,"who":"lab","ev":"signal","node":"B","sig":"SIGHUP"}"#,
        ]);
        assert_eq!(
            error.expect_err("no such signal").to_string(),
            "line 3: found the signal SIGHUP, expected SIGSTOP, SIGCONT or SIGKILL"
        );
        let error = script(&[
            START[0],
            START[1],
            r#"{"t":2,"who":"admin","ev":"tx","node":"C","cmd":"ROLE"}"#,
        ]);
        assert_eq!(
            error.expect_err("no such server").to_string(),
            "line 3: found the server \"C\", expected one that was started: A, B"
        );
    }
}
