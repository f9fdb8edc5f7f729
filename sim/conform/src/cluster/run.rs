//! What a manual failover of a cluster showed, recorded or modelled: the same facts of both, so
//! that they can be compared.

/// Milliseconds since `CLUSTER FAILOVER` was sent.
pub type Millis = f64;

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which.
    pub name: String,
    /// When the command was sent, in milliseconds since the run's start.
    pub start: Millis,
    /// The reply to `CLUSTER FAILOVER`.
    pub reply: String,
    /// The words of a redirect, but for its address.
    pub redirect: String,
    /// Commands with no, one, two, three or more redirects.
    pub redirects: [u64; 4],
    /// What happened at the servers.
    pub marks: Vec<Mark>,
    /// Commands around the failover.
    pub ops: Vec<Op>,
    /// How precisely marks and requests can be distinguished.
    pub blur: Millis,
    /// By how much a server's clock may be off.
    pub clock: Millis,
}

/// Something that happened at a server.
#[derive(Clone, Debug)]
pub struct Mark {
    /// When.
    pub at: Millis,
    /// The node and what happened, such as `b won`.
    pub what: String,
    /// An epoch, an offset or a delay.
    pub number: Option<u64>,
}

/// One command of a client.
#[derive(Clone, Debug)]
pub struct Op {
    /// `SET` or `GET`.
    pub command: &'static str,
    /// When.
    pub sent: Millis,
    /// What was answered to it, up to the last answer.
    pub steps: Vec<Step>,
}

/// One answer on a command's way.
#[derive(Clone, Debug)]
pub struct Step {
    /// By whom.
    pub node: char,
    /// `moved a`, `ok`, `value`, or an error's code.
    pub answer: String,
    /// When.
    pub at: Millis,
}

impl Op {
    /// The nodes that it went to.
    pub fn path(&self) -> String {
        let nodes: Vec<String> = self.steps.iter().map(|s| s.node.to_string()).collect();
        nodes.join(">")
    }
}

impl Run {
    /// When something first happened, if it did.
    pub fn at(&self, what: &str) -> Option<Millis> {
        let mark = self.marks.iter().find(|mark| mark.what == what);
        mark.map(|mark| mark.at)
    }

    /// How long after one thing another happened, if both did.
    pub fn between(&self, first: &str, then: &str) -> Option<Millis> {
        Some(self.at(then)? - self.at(first)?)
    }

    /// The numbers of all marks of a kind.
    pub fn numbers(&self, what: &str) -> Vec<u64> {
        let marks = self.marks.iter().filter(|mark| mark.what == what);
        marks.filter_map(|mark| mark.number).collect()
    }

    /// What each node answered to which command in which phase of the failover, as lines. A request
    /// that was in progress when a phase changed is left out.
    pub fn answers(&self) -> Vec<(String, String)> {
        let times = ["a paused", "b won", "a demoted"].map(|what| self.at(what));
        let [Some(paused), Some(won), Some(demoted)] = times else {
            return Vec::new();
        };
        let blur = self.blur;
        let mut answers = Vec::new();
        for op in &self.ops {
            let mut sent = op.sent;
            for step in &op.steps {
                let inside = |from: Millis, to: Millis| sent > from + blur && step.at < to - blur;
                let phase = if step.at < paused - blur {
                    Some("before")
                } else if inside(paused, won) {
                    Some("paused")
                } else if inside(won, demoted) {
                    Some("promoted")
                } else if step.node == 'a'
                    && sent > paused + blur
                    && sent < demoted - blur
                    && step.at >= demoted - blur
                {
                    Some("held till the end of the pause")
                } else if sent > demoted + NEWS {
                    Some("after")
                } else {
                    None
                };
                if let Some(phase) = phase {
                    let cell = format!("{phase}, {} at {}", op.command, step.node);
                    answers.push((cell, step.answer.clone()));
                }
                sent = step.at;
            }
        }
        answers
    }

    /// Writes that `a` held until it was a replica.
    pub fn held(&self) -> impl Iterator<Item = &Op> {
        let demoted = self.at("a demoted").unwrap_or(Millis::INFINITY);
        self.ops.iter().filter(move |op| {
            let late = |step: &Step| step.node == 'a' && step.at >= demoted - self.clock;
            op.command == "SET" && op.sent < demoted && op.steps.iter().any(late)
        })
    }

    /// The longest that such a command took.
    pub(crate) fn longest_hold(&self) -> Millis {
        let took = |op: &Op| op.steps.last().map_or(0.0, |step| step.at) - op.sent;
        self.held().map(took).fold(0.0, f64::max)
    }
}

/// How long after the old primary the others may learn of the new one: Linux may keep a packet
/// of the bus back until the one before is acknowledged, up to 40 ms later.
const NEWS: Millis = 50.0;
