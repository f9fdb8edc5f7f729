//! What a client says that it does: what its application asks for, and what becomes of that. The
//! trace is made of such notes.

use crate::valkey::{
    Addr, Belief, CommandKind, Elements, Epoch, ErrorKind, NodeId, RedirectKind, Value, WriteId,
};
use rebound_engine::{Duration, hashed};

/// How a logical command ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Served.
    Served,
    /// An error reply reached the application.
    Error(ErrorKind),
    /// A redirect reached the application.
    Redirect,
    /// No reply in time, as often as the policy tries.
    TimedOut,
    /// The connection was lost, as often as the policy tries.
    Disconnected,
    /// No connection could be made, as often as the policy tries.
    Unreachable,
}

hashed!(
    enum CommandOutcome {
        Served,
        Error(error),
        Redirect,
        TimedOut,
        Disconnected,
        Unreachable,
    }
);

impl CommandOutcome {
    /// The code under which reports count an outcome; none for a command that was served.
    pub fn code(self) -> Option<&'static str> {
        match self {
            CommandOutcome::Served => None,
            CommandOutcome::Error(error) => Some(error.code()),
            CommandOutcome::Redirect => Some("REDIRECT"),
            CommandOutcome::TimedOut => Some("TIMEOUT"),
            CommandOutcome::Disconnected => Some("DISCONNECTED"),
            CommandOutcome::Unreachable => Some("UNREACHABLE"),
        }
    }
}

/// Writes numbered one after the other.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WriteRange {
    /// The first.
    pub first: WriteId,
    /// How many; zero for a command that writes nothing.
    pub count: u16,
}

impl WriteRange {
    /// Of a command that writes nothing.
    pub const NONE: WriteRange = WriteRange {
        first: WriteId::NONE,
        count: 0,
    };
}

hashed!(struct WriteRange { first, count });

/// Which keys a command's writes go to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WrittenKeys {
    /// The first key of the space.
    pub base: u32,
    /// Where in it the first write goes.
    pub at: u32,
    /// How many keys the space has, so that a transaction goes round; never zero.
    pub of: u32,
}

impl WrittenKeys {
    /// The key of a command that is no transaction.
    pub const fn one(key: u32) -> WrittenKeys {
        WrittenKeys {
            base: key,
            at: 0,
            of: 1,
        }
    }

    /// The key of a command's write at this place. A transaction is alternately SET and GET, so
    /// that its writes go to every other key.
    pub const fn key(self, index: u16) -> u32 {
        let offset = self.at.wrapping_add(index as u32 * 2) % self.of;
        self.base.wrapping_add(offset)
    }
}

/// What the reply to a command said about the data.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Saw {
    /// Nothing: there was none, or it carries no value.
    #[default]
    Nothing,
    /// The value of a key: by GET as it is, by INCR as it has become.
    Value(Value),
    /// The values of several keys. Each comes by itself, as an [`Note::Element`].
    Elements(Elements),
}

/// Something that a client does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// An application issues a command.
    Issued {
        /// The command's number with its client.
        command: u32,
        /// What it is.
        kind: CommandKind,
        /// The writes that it asks for. Not in the trace's hash: the requests are.
        writes: WriteRange,
        /// Where they go. Not in the hash either.
        keys: WrittenKeys,
    },
    /// One value of an `MGET` that is about to end, served. Not in the trace's hash: the replies
    /// that arrive are.
    Element {
        /// The command's number with its client.
        command: u32,
        /// Who replied.
        from: Addr,
        /// The key.
        key: u32,
        /// Its value.
        value: Value,
        /// Since the command was issued.
        took: Duration,
    },
    /// A client follows a redirect.
    Hop {
        /// The command's number with its client.
        command: u32,
        /// What the command is.
        kind: CommandKind,
        /// The node that redirected.
        from: NodeId,
        /// Where to.
        to: Addr,
        /// By which reply.
        via: RedirectKind,
        /// How many there have been for this command, this one included.
        hops: u32,
        /// Whether the target had already redirected this command.
        bounce: bool,
        /// What the redirecting node believed of itself.
        belief: Belief,
    },
    /// A client does not follow a redirect, since it is older than what it knows: it asks the
    /// same node again later.
    Ignored {
        /// The command's number with its client.
        command: u32,
        /// What the command is.
        kind: CommandKind,
        /// The node that redirected.
        from: NodeId,
        /// Where to.
        to: Addr,
        /// The redirect's epoch.
        said: Epoch,
        /// The epoch that the client knows.
        known: Epoch,
    },
    /// A command has ended.
    Ended {
        /// The command's number with its client.
        command: u32,
        /// What it is.
        kind: CommandKind,
        /// How.
        outcome: CommandOutcome,
        /// Redirects that it met.
        hops: u32,
        /// Redirects that led back.
        bounces: u32,
        /// From issue to end.
        took: Duration,
        /// The writes that it asked for.
        writes: WriteRange,
        /// Who replied last, and what. Not in the trace's hash: the replies that arrive are.
        from: Addr,
        /// The key that it read, if it reads; the first of an `MGET`. Not in the hash either.
        key: u32,
        /// What it received. Not in the hash either.
        saw: Saw,
    },
}

hashed!(enum Note {
    Issued { command, kind; not writes = WriteRange::NONE, not keys = WrittenKeys::one(0) },
    Element { command, key; not from = Addr(0), not value = Value::Absent, not took = Duration::ZERO },
    Hop { command, kind, from, to, hops, bounce, belief, via },
    Ignored { command, kind, from, to, said, known },
    Ended {
        command, kind, hops, bounces, took, writes, outcome;
        not from = Addr(0), not key = 0, not saw = Saw::Nothing
    },
});
