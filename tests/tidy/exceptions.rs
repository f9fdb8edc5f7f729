//! What is allowed to be otherwise, for now or with a reason. These lists only get shorter: an
//! exception that is not needed any more is an error, and so is one that has grown.
//!
//! Paths are the ends of paths, so that a folder can move.

/// A file that is longer than files may be.
#[derive(Debug)]
pub struct LongFile {
    /// The end of its path.
    pub path: &'static str,
    /// How many lines it has at most.
    pub lines: usize,
}

/// A function that is longer than functions may be.
#[derive(Debug)]
pub struct LongFunction {
    /// The end of its file's path.
    pub path: &'static str,
    /// Its name.
    pub function: &'static str,
    /// How many lines it has at most.
    pub lines: usize,
}

/// A public item that stays public though nobody uses it.
#[derive(Debug)]
pub struct Kept {
    /// Its package.
    pub package: &'static str,
    /// The item, as `name` or `Type::name`.
    pub item: &'static str,
    /// Why it stays.
    pub why: &'static str,
}

const fn file(path: &'static str, lines: usize) -> LongFile {
    LongFile { path, lines }
}

const fn function(path: &'static str, function: &'static str, lines: usize) -> LongFunction {
    LongFunction {
        path,
        function,
        lines,
    }
}

/// Files of more than 600 lines.
pub const LONG_FILES: &[LongFile] = &[file("scenario/command_line.rs", 629)];

/// Functions of more than 100 lines. Nearly all are one `match` over all of something, with an arm
/// of a line or two for each.
pub const LONG_FUNCTIONS: &[LongFunction] = &[
    function("src/cluster/model.rs", "told", 131),
    function("scenario/request.rs", "request", 117),
    function("story/phrases.rs", "words", 173),
    function("src/words.rs", "command", 136),
    function("scenario/resolve/timeline.rs", "action", 123),
    function("server/execute.rs", "execute", 118),
    function("server/execute.rs", "call", 181),
    // Tables of cases, one below the other.
    function("cli/mistakes.rs", "mistakes_get_one_message_each", 170),
    function("cli/reports.rs", "bad_input_is_named", 116),
];

/// Public items that nobody uses.
pub const KEPT_PUBLIC: &[Kept] = &[Kept {
    package: "rebound-sim",
    item: "PRESETS",
    why: "each library's preset with what it stands for and where that was read: for whoever lists \
          them",
}];
