//! The format of recordings: one JSON object per line, in the order of time.
//!
//! `t` is in milliseconds since the run's start, `who` says whose line it is: the bench that
//! carries out the script (`lab`), its operator (`admin`), a server (`A`, `B`, …), the proxy in
//! front of a server (`PA`, `PB`, …: whoever dials that server dials its proxy, except clients),
//! and everybody else is a client. `docs/recordings.md` describes it for readers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The script's family of runs in which a scenario was driven on real servers.
pub const DRIVEN: &str = "live";

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the start.
    pub t: f64,
    /// Whose line it is.
    pub who: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A direction through a proxy: from who dialled to the server behind it, or back.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// From who dialled to the server.
    C2s,
    /// From the server to who dialled.
    S2c,
}

/// A redirect on a command's way: who sent it, when, and its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop(pub String, pub f64, pub String);

/// A failed try on a command's way: at which node, when, and what went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure(pub String, pub f64, pub String);

/// What a line says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ev", rename_all = "snake_case")]
pub enum Event {
    /// `lab`, first: what this is a recording of.
    Meta {
        /// What the version is called, such as `8.1.8`.
        label: String,
        /// What the server's binary says of itself.
        version: String,
        /// The script's family.
        scenario: String,
        /// The script's name in it.
        variant: String,
        /// Which run of it.
        n: u32,
    },
    /// `lab`: a server is started.
    Start {
        /// Which.
        node: String,
        /// The port that it listens on itself; its proxy listens on this and ten.
        port: u16,
        /// The port of its proxy, which it announces, where that is another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        announced: Option<u16>,
    },
    /// `lab`: the replicas are synchronized; the script begins.
    Paired,
    /// `lab`: a place in the script.
    Mark {
        /// Its name.
        what: String,
    },
    /// `lab`: what the script waited for is the case.
    Reached {
        /// Of which node.
        node: String,
        /// What.
        what: String,
    },
    /// `lab`: a signal is sent to a server's process.
    Signal {
        /// Which server's.
        node: String,
        /// `SIGSTOP`, `SIGCONT`, `SIGKILL`.
        sig: String,
    },
    /// `lab`: lines that have been left out of this recording, so as to keep it short. What
    /// remains is as it was.
    Dropped {
        /// How many, by their `ev`.
        lines: BTreeMap<String, u64>,
    },
    /// `lab`, near the end.
    End {
        /// How late the recorder was at most.
        loop_maxlag_ms: f64,
    },
    /// A client or the operator connects.
    Connect {
        /// To which node.
        node: String,
        /// At which port.
        port: u16,
        /// From which port.
        lport: u16,
    },
    /// A command is sent.
    Tx {
        /// To which node.
        node: String,
        /// The command, its words joined by spaces.
        cmd: String,
    },
    /// A reply.
    Rx {
        /// From which node.
        node: String,
        /// As RESP2 without line ends: `+OK`, `:1`, `-ERR …`; `$value`, `$-1` for nil; an array
        /// is an array.
        reply: Value,
    },
    /// A connection is closed by who opened it.
    Close {
        /// To which node it led.
        node: String,
    },
    /// A whole command of a client that follows redirects; its single requests are left out.
    Op {
        /// `plain`, `capa` (said `CLIENT CAPA redirect`), `capa+ro` (and `READONLY`).
        kind: String,
        /// The command.
        cmd: String,
        /// When it was issued.
        t0: f64,
        /// Where it was sent first.
        start: String,
        /// Who gave the last reply.
        node: String,
        /// The last reply; null if there was none.
        #[serde(rename = "final")]
        last: Value,
        /// Redirects in a row.
        red: u32,
        /// Of those, to a node that had already been asked.
        back: u32,
        /// The first twelve redirects.
        hops: Vec<Hop>,
        /// Failed attempts, only as many as are of interest.
        errs: Vec<Failure>,
        /// How many tries failed.
        nerr: u32,
        /// From issue to end.
        lat: f64,
    },
    /// A single command on a connection of its own, not followed anywhere.
    Probe {
        /// In which part of the script it was sent.
        phase: String,
        /// To which node.
        node: String,
        /// As in [`Event::Op`].
        kind: String,
        /// The command.
        cmd: String,
        /// The reply; null if there was none before the end.
        reply: Value,
        /// Why the connection ended before a reply came.
        closed: Option<String>,
        /// When it was sent.
        t0: f64,
        /// From there to the reply.
        lat: f64,
    },
    /// A message that a subscriber was sent.
    Push {
        /// By which node.
        node: String,
        /// As in [`Event::Rx`].
        reply: Value,
    },
    /// A client gives up on a node after a failure and goes on at another.
    Fallback {
        /// What went wrong.
        err: String,
        /// From where.
        frm: String,
        /// To where.
        to: String,
    },
    /// A server closed a client's connection.
    ClosedByServer {
        /// Which.
        node: String,
    },
    /// A server: fields of `INFO replication`, all of them the first time and then what changed.
    /// Polled, so short states can be missing.
    Info {
        /// Field by field.
        d: serde_json::Map<String, Value>,
    },
    /// A server: its poll failed.
    InfoErr {
        /// Why.
        err: String,
    },
    /// A server: a line of its log.
    Log {
        /// Without time and level.
        line: String,
    },
    /// A proxy: somebody dials the server behind it.
    PxAccept {
        /// The number of the connection.
        link: u32,
        /// Which node, where that is not the only other one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// A proxy: bytes come in. They go on at once, unless they are held or delayed.
    Px {
        /// The connection.
        link: u32,
        /// Which way.
        dir: Way,
        /// How many bytes.
        n: u64,
        /// The first of them.
        data: String,
    },
    /// A proxy: bytes that were held or delayed go on.
    PxFwd {
        /// The connection.
        link: u32,
        /// Which way.
        dir: Way,
        /// How many bytes.
        n: u64,
        /// The first of them.
        data: String,
    },
    /// A proxy: from here on everything takes this much longer, each way.
    PxDelay {
        /// Milliseconds.
        ms: f64,
    },
    /// A proxy holds whatever comes in from here on.
    PxHold {
        /// Which ways.
        dirs: Vec<Way>,
    },
    /// A proxy lets go what it holds, and holds nothing more.
    PxRelease {
        /// Which ways.
        dirs: Vec<Way>,
    },
    /// A proxy cuts a connection.
    PxCut {
        /// The connection.
        link: u32,
        /// `cut`: data in flight is lost; `cutbefore`: the bytes that were seen last have
        /// not gone on either.
        why: String,
    },
    /// A proxy stops listening.
    PxRefuse,
    /// A proxy listens again.
    PxListen,
    /// A proxy: one side has closed a connection.
    PxClose {
        /// The connection.
        link: u32,
        /// The way that the end travels.
        dir: Way,
    },
    /// A proxy cannot reach the server behind it.
    PxTargetError {
        /// The connection.
        link: u32,
        /// Why.
        err: String,
    },
    /// A single redirect of a client that keeps no whole commands.
    Redirect {
        /// By which node.
        node: String,
        /// To where.
        to: String,
    },
}
