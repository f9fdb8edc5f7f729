//! A recording's clients: what each asked, when, of whom, and what it was answered.

use std::collections::BTreeMap;

use super::error::RecordingError;
use super::members::Members;
use super::recording::{Event, Line};
use super::replies;
use super::script::{instant, length};
use super::words::Words;
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{Command, NodeId};

/// What a client said before its command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// `CLIENT CAPA redirect`.
    Capa,
    /// That, and `READONLY`.
    CapaReadOnly,
}

impl Kind {
    fn of(text: &str, place: usize) -> Result<Kind, RecordingError> {
        match text {
            "plain" => Ok(Kind::Plain),
            "capa" => Ok(Kind::Capa),
            "capa+ro" => Ok(Kind::CapaReadOnly),
            _ => Err(RecordingError::at(
                place,
                format!("the kind of client \"{text}\""),
                "\"plain\", \"capa\" or \"capa+ro\"",
            )),
        }
    }

    /// What it says first.
    pub(crate) fn preamble(self) -> &'static [Command] {
        match self {
            Kind::Plain => &[],
            Kind::Capa => &[Command::ClientCapa],
            Kind::CapaReadOnly => &[Command::ClientCapa, Command::ReadOnly],
        }
    }
}

/// A redirect: when it came, who sent it, and its text with the server's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// When.
    pub at: Time,
    /// By whom.
    pub by: NodeId,
    /// Its text.
    pub text: String,
}

/// A whole command of a client that follows redirects, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its line, counted from zero.
    pub line: usize,
    /// Whose.
    pub who: String,
    /// What the client said first.
    pub kind: Kind,
    /// The command, as recorded.
    pub text: String,
    /// The command, or why the model cannot be asked it.
    pub command: Result<Command, String>,
    /// When it was issued.
    pub issued: Time,
    /// Where it was sent first.
    pub start: NodeId,
    /// The first redirects.
    pub redirects: Vec<Redirect>,
    /// How many there were.
    pub count: u32,
    /// How many tries failed.
    pub failures: u32,
    /// Who gave the last reply.
    pub by: NodeId,
    /// The last reply.
    pub last: String,
    /// When it came.
    pub ended: Time,
}

impl Op {
    /// How long the client took from a redirect (counted from zero) to the next reply.
    pub fn pace(&self, redirect: usize) -> Duration {
        let at = |place: usize| self.redirects.get(place).map(|r| r.at);
        let mean = || {
            let last = self.redirects.last()?;
            let more = u64::from(self.count).saturating_sub(self.redirects.len() as u64);
            (more > 0).then(|| Duration(self.ended.since(last.at).0 / (more + 1)))
        };
        let gap = match (at(redirect), at(redirect + 1)) {
            (Some(from), Some(to)) => Some(to.since(from)),
            (_, _) => mean(),
        };
        // A longer gap was no pace: the client waited for the server.
        let gap = gap.filter(|gap| *gap <= Duration::millis(25));
        gap.unwrap_or(Duration::millis(1))
            .max(Duration::micros(100))
    }

    /// When it was sent first, if the server was slow to read it then.
    pub(crate) fn issued_late(&self) -> Time {
        let first = self.redirects.first().map_or(self.ended, |first| first.at);
        match first.since(self.issued) <= Duration::millis(100) {
            true => Time(first.0.saturating_sub(Duration::micros(300).0)).max(self.issued),
            false => self.issued,
        }
    }

    /// The pace, if the server was slow to read the command the last time.
    pub fn late(&self, redirect: usize) -> Duration {
        let last = self
            .redirects
            .get(redirect)
            .filter(|_| redirect + 1 == self.count as usize);
        let gap = last.map(|last| self.ended.since(last.at));
        let gap = gap.filter(|gap| *gap <= Duration::millis(60));
        gap.unwrap_or_else(|| self.pace(redirect))
    }

    /// From the last time that it was sent to the end.
    pub fn waited(&self) -> Duration {
        let whole = self.redirects.len() as u64 == u64::from(self.count);
        let sent = self
            .redirects
            .last()
            .filter(|_| whole && self.failures == 0);
        self.ended.since(sent.map_or(self.issued, |last| last.at))
    }
}

/// A command on a client's own connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// When it was sent.
    pub at: Time,
    /// As recorded.
    pub text: String,
    /// For the model, or why not.
    pub command: Result<Command, String>,
    /// How many replies had come before.
    pub after: usize,
}

/// Something that a client was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: Time,
    /// What.
    pub text: String,
    /// Whether it answers a command; else it is a message to a subscriber.
    pub answers: bool,
}

/// A connection of a client that follows no redirects, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whose.
    pub who: String,
    /// To whom it leads.
    pub node: NodeId,
    /// When it was made.
    pub made: Time,
    /// What was sent.
    pub sends: Vec<Send>,
    /// What came.
    pub heard: Vec<Heard>,
    /// When the server closed it.
    pub closed: Option<Time>,
    /// When the client did.
    pub left: Option<Time>,
    /// Commands that were left out, and why.
    pub left_out: Vec<String>,
    /// Why the rest of it is not compared.
    pub cut_short: Option<String>,
    /// Messages that have been seen by `rx`, and not yet by `push`.
    said_twice: usize,
}

/// All of a recording's clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    /// The whole commands, in the order in which they were issued.
    pub ops: Vec<Op>,
    /// The single connections, in the order in which they were made.
    pub probes: Vec<Probe>,
}

impl Clients {
    /// The clients of a recording.
    ///
    /// # Errors
    /// If a line names a server that was not started, or a kind of client that there is not.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of many kinds of lines a few say this"
    )]
    pub fn of(
        recording: &[Line],
        members: &Members,
        words: &mut Words,
    ) -> Result<Clients, RecordingError> {
        let mut clients = Clients::default();
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        let told_by_line: Vec<&str> = recording
            .iter()
            .filter(|line| matches!(line.event, Event::Tx { .. }))
            .map(|line| line.who.as_str())
            .collect();
        for (place, line) in recording.iter().enumerate() {
            let who = line.who.as_str();
            if who == "lab" || who == "admin" || members.node(who).is_some() {
                continue;
            }
            match &line.event {
                Event::Op { .. } => clients.ops.push(op(line, place, members, words)?),
                Event::Connect { node, .. } => {
                    let node = members.known(node, place)?;
                    open.insert(who, clients.probes.len());
                    clients.probes.push(Probe::new(who, node, instant(line.t)));
                }
                // Said by `tx` and `rx` as well, unless somebody left those out.
                Event::Probe { node, .. } if !told_by_line.contains(&who) => {
                    let node = members.known(node, place)?;
                    let mut probe = Probe::new(who, node, instant(line.t));
                    whole_probe(&mut probe, line, place, members, words)?;
                    clients.probes.push(probe);
                }
                event => {
                    if let Some(probe) = open.get(who) {
                        clients.probes[*probe].line(event, instant(line.t), members, words);
                    }
                }
            }
        }
        clients.ops.sort_by_key(|op| op.issued);
        clients.probes.sort_by_key(|probe| probe.made);
        for probe in &mut clients.probes {
            probe.leave_out();
        }
        Ok(clients)
    }
}

fn op(
    line: &Line,
    place: usize,
    members: &Members,
    words: &mut Words,
) -> Result<Op, RecordingError> {
    let Event::Op {
        kind,
        cmd,
        t0,
        start,
        node,
        last,
        red,
        hops,
        nerr,
        lat,
        ..
    } = &line.event
    else {
        unreachable!("asked of lines of whole commands only");
    };
    let redirect = |hop: &super::recording::Hop| {
        Ok(Redirect {
            at: instant(hop.1),
            by: members.known(&hop.0, place)?,
            text: members.with_names(&hop.2),
        })
    };
    Ok(Op {
        line: place,
        who: line.who.clone(),
        kind: Kind::of(kind, place)?,
        text: cmd.clone(),
        command: words.command(cmd),
        issued: instant(*t0),
        start: members.known(start, place)?,
        redirects: hops.iter().map(redirect).collect::<Result<_, _>>()?,
        count: *red,
        failures: *nerr,
        by: members.known(node, place)?,
        last: replies::recorded(last, cmd, members),
        ended: instant(*t0) + length(*lat),
    })
}

fn whole_probe(
    probe: &mut Probe,
    line: &Line,
    place: usize,
    members: &Members,
    words: &mut Words,
) -> Result<(), RecordingError> {
    let Event::Probe {
        kind,
        cmd,
        reply,
        t0,
        lat,
        ..
    } = &line.event
    else {
        unreachable!("asked of lines of probes only");
    };
    let at = instant(*t0);
    probe.made = at;
    let kind = Kind::of(kind, place)?;
    for command in kind.preamble() {
        probe.sends.push(Send {
            at,
            text: command.kind().name().to_owned(),
            command: Ok(*command),
            after: probe.heard.len(),
        });
        // What they are told is recorded nowhere then, and no difference.
        probe.heard.push(Heard {
            at,
            text: "anything".to_owned(),
            answers: true,
        });
    }
    probe.line(
        &Event::Tx {
            node: String::new(),
            cmd: cmd.clone(),
        },
        at,
        members,
        words,
    );
    if !reply.is_null() {
        probe.heard.push(Heard {
            at: at + length(*lat),
            text: replies::recorded(reply, cmd, members),
            answers: true,
        });
    }
    Ok(())
}

impl Probe {
    fn new(who: &str, node: NodeId, made: Time) -> Probe {
        Probe {
            who: who.to_owned(),
            node,
            made,
            sends: Vec::new(),
            heard: Vec::new(),
            closed: None,
            left: None,
            left_out: Vec::new(),
            cut_short: None,
            said_twice: 0,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of many kinds of lines a few say this"
    )]
    fn line(&mut self, event: &Event, at: Time, members: &Members, words: &mut Words) {
        let answers = self.heard.iter().filter(|heard| heard.answers).count();
        match event {
            Event::Tx { cmd, .. } => self.sends.push(Send {
                at,
                text: cmd.clone(),
                command: words.command(cmd),
                after: answers,
            }),
            Event::Rx { reply, .. } => {
                let cmd = self.sends.get(answers).map_or("", |send| &send.text);
                let text = replies::recorded(reply, cmd, members);
                let answers = text != replies::MESSAGE;
                self.said_twice += usize::from(!answers);
                self.heard.push(Heard { at, text, answers });
            }
            // Some recordings have a message's `rx` as well.
            Event::Push { .. } if self.said_twice > 0 => self.said_twice -= 1,
            Event::Push { reply, .. } => self.heard.push(Heard {
                at,
                text: replies::recorded(reply, "", members),
                answers: false,
            }),
            Event::ClosedByServer { .. } => self.closed = Some(at),
            Event::Close { .. } => self.left = Some(at),
            _ => {}
        }
    }

    /// Leaves out commands that the model cannot be asked. Inside a transaction all that follows
    /// depends on them.
    fn leave_out(&mut self) {
        let mut in_multi = false;
        let mut place = 0;
        while let Some(send) = self.sends.get(place) {
            match (&send.command, in_multi) {
                (Ok(command), _) => {
                    in_multi |= *command == Command::Multi;
                    in_multi &= !matches!(command, Command::Exec | Command::Discard);
                    place += 1;
                }
                (Err(why), false) => {
                    self.left_out.push(why.clone());
                    self.leave_out_one(place);
                }
                (Err(why), true) => {
                    self.cut_short = Some(why.clone());
                    self.cut_short(place);
                }
            }
        }
    }

    fn answer(&self, nth: usize) -> Option<usize> {
        let answers = self
            .heard
            .iter()
            .enumerate()
            .filter(|(_, heard)| heard.answers);
        answers.map(|(place, _)| place).nth(nth)
    }

    fn leave_out_one(&mut self, place: usize) {
        self.sends.remove(place);
        if let Some(answer) = self.answer(place) {
            self.heard.remove(answer);
        }
        for later in &mut self.sends[place..] {
            later.after -= usize::from(later.after > place);
        }
    }

    fn cut_short(&mut self, place: usize) {
        self.sends.truncate(place);
        let mut answers = 0;
        self.heard.retain(|heard| {
            answers += usize::from(heard.answers);
            !heard.answers || answers <= place
        });
        self.closed = None;
        self.left = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(lines: &[&str]) -> Result<Clients, RecordingError> {
        let start = [
            r#"{"t":0,"who":"lab","ev":"start","node":"A","port":7001}"#,
            r#"{"t":0,"who":"lab","ev":"start","node":"B","port":7002}"#,
        ];
        let lines: Vec<Line> = start
            .iter()
            .chain(lines)
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect();
        let members = Members::of(&lines)?;
        Clients::of(&lines, &members, &mut Words::new(members.addresses()))
    }

    #[test]
    fn a_bounce_has_a_pace() {
        let line = r#"{"t":60,"who":"c0","ev":"op","kind":"capa","cmd":"SET k 0","t0":50,"start":"A","node":"B","final":"+OK","red":5,"back":4,"hops":[["A",51,"-REDIRECT 127.0.0.1:7012"],["B",53,"-REDIRECT 127.0.0.1:7011"]],"errs":[],"nerr":0,"lat":10}"#;
        let op = &clients(&[line]).expect("an op").ops[0];
        assert_eq!(op.redirects[0].text, "-REDIRECT B");
        assert_eq!(op.pace(0), Duration::millis(2));
        assert_eq!(
            op.pace(1),
            Duration::micros(1_750),
            "three more in seven ms"
        );
        assert_eq!((op.by, op.ended), (NodeId(1), Time(60_000_000)));
    }

    #[test]
    fn what_the_model_has_no_command_for_is_left_out() {
        let lines = [
            r#"{"t":10,"who":"x","ev":"connect","node":"A","port":7001,"lport":5}"#,
            r#"{"t":11,"who":"x","ev":"tx","node":"A","cmd":"OBJECT FREQ a"}"#,
            r#"{"t":12,"who":"x","ev":"rx","node":"A","reply":":1"}"#,
            r#"{"t":13,"who":"x","ev":"tx","node":"A","cmd":"MULTI"}"#,
            r#"{"t":14,"who":"x","ev":"rx","node":"A","reply":"+OK"}"#,
            r#"{"t":15,"who":"x","ev":"tx","node":"A","cmd":"OBJECT FREQ a"}"#,
            r#"{"t":16,"who":"x","ev":"rx","node":"A","reply":"+QUEUED"}"#,
        ];
        let probe = &clients(&lines).expect("a probe").probes[0];
        assert_eq!(probe.left_out.len(), 1);
        assert_eq!((probe.sends.len(), probe.sends[0].after), (1, 0));
        assert_eq!(probe.heard.len(), 1);
        assert_eq!(probe.heard[0].text, "+OK");
        assert!(probe.cut_short.is_some());
    }

    #[test]
    fn a_message_that_is_said_twice_is_one() {
        let lines = [
            r#"{"t":10,"who":"x","ev":"connect","node":"A","port":7001,"lport":5}"#,
            r#"{"t":11,"who":"x","ev":"tx","node":"A","cmd":"SUBSCRIBE c"}"#,
            r#"{"t":12,"who":"x","ev":"rx","node":"A","reply":["$subscribe","$c",":1"]}"#,
            r#"{"t":13,"who":"x","ev":"rx","node":"A","reply":["$message","$c","$m"]}"#,
            r#"{"t":13,"who":"x","ev":"push","node":"A","reply":["$message","$c","$m"]}"#,
            r#"{"t":14,"who":"x","ev":"push","node":"A","reply":["$message","$c","$m"]}"#,
        ];
        let probe = &clients(&lines).expect("a probe").probes[0];
        let answers: Vec<bool> = probe.heard.iter().map(|heard| heard.answers).collect();
        assert_eq!(answers, [true, false, false]);
    }

    #[test]
    fn a_kind_of_client_that_there_is_not_is_an_error() {
        let line = r#"{"t":60,"who":"c0","ev":"op","kind":"smart","cmd":"SET k 0","t0":50,"start":"A","node":"B","final":"+OK","red":0,"back":0,"hops":[],"errs":[],"nerr":0,"lat":10}"#;
        let error = clients(&[line]).expect_err("no such kind");
        assert!(
            error.to_string().starts_with("line 3: found the kind"),
            "{error}"
        );
    }
}
