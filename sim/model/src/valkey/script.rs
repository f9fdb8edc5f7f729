//! Scripts and functions: what they declare, which decides at which gates they stop, and what they
//! do.

use super::command_table::CommandKind;
use super::message::WriteId;
use rebound_engine::hashed;

/// A script or a function, which gets or sets the key that it is given.
///
/// Without a shebang a script's text says nothing of what it does. The model's have the texts
/// `return redis.call('GET',KEYS[1])` and `return redis.call('SET',KEYS[1],'x')`, whose sha1 some
/// errors name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// `EVAL` without a shebang, which gets the key.
    Get,
    /// `EVAL` without a shebang, which sets the key.
    Set(WriteId),
    /// `EVAL` with `#!lua`, which sets the key.
    ShebangSet(WriteId),
    /// `EVAL` with `#!lua flags=no-writes`, which gets the key.
    NoWritesGet,
    /// `EVAL_RO`, which gets the key.
    RoGet,
    /// `FCALL` of a function that sets the key.
    FunctionSet(WriteId),
    /// `FCALL` of a function with the flag `no-writes`, which gets the key.
    FunctionGet,
    /// `FCALL_RO` of such a function.
    FunctionRoGet,
}

hashed!(
    enum Script {
        Get,
        Set(write),
        ShebangSet(write),
        NoWritesGet,
        RoGet,
        FunctionSet(write),
        FunctionGet,
        FunctionRoGet,
    }
);

impl Script {
    /// The command that runs it, with what is declared.
    pub const fn command(self) -> CommandKind {
        match self {
            Script::Get | Script::Set(_) => CommandKind::Eval,
            Script::ShebangSet(_) => CommandKind::EvalShebang,
            Script::NoWritesGet => CommandKind::EvalNoWrites,
            Script::RoGet => CommandKind::EvalRo,
            Script::FunctionSet(_) => CommandKind::FCall,
            Script::FunctionGet => CommandKind::FCallNoWrites,
            Script::FunctionRoGet => CommandKind::FCallRo,
        }
    }

    /// The write that it carries.
    pub const fn write(self) -> Option<WriteId> {
        match self {
            Script::Set(write) | Script::ShebangSet(write) | Script::FunctionSet(write) => {
                Some(write)
            }
            Script::Get
            | Script::NoWritesGet
            | Script::RoGet
            | Script::FunctionGet
            | Script::FunctionRoGet => None,
        }
    }
}
