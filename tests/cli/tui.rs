//! `rebound tui`, driven through a pseudo-terminal as a person would.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{
    Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::{CLEAN, Lab, SLOW};

/// How long the program may take for anything on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program on a terminal of its own.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// The terminal's modes before the program began.
    modes: String,
}

impl Session {
    fn start(folder: &Path, arguments: &[&str], (columns, rows): (u16, u16)) -> Session {
        Session::start_with(folder, arguments, (columns, rows), &[])
    }

    fn start_with(
        folder: &Path,
        arguments: &[&str],
        (columns, rows): (u16, u16),
        environment: &[(&str, &str)],
    ) -> Session {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rebound"));
        command.cwd(folder);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        for name in ["NO_COLOR", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let modes = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).expect("a program");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            nonzero(rows),
            nonzero(columns),
            0,
        )));
        let drawn = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 {
                    return;
                }
                drawn.lock().expect("no panic").process(&bytes[..count]);
            }
        });
        Session {
            child,
            keys: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            _slave: pair.slave,
            screen,
            modes,
        }
    }

    fn text(&self) -> String {
        self.screen.lock().expect("no panic").screen().contents()
    }

    /// Waits until the screen is as wanted, and nothing more is being drawn: what is read may be
    /// a part of what was written.
    fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        let mut before = String::new();
        loop {
            let text = self.text();
            if wanted(&text) && text == before {
                return text;
            }
            assert!(start.elapsed() < PATIENCE, "no {what:?} on\n{text}");
            before = text;
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something is on the screen.
    fn shows(&self, part: &str) -> String {
        self.until(part, |text| text.contains(part))
    }

    /// Presses keys, then waits until something is on the screen.
    fn press(&mut self, keys: &str, part: &str) -> String {
        self.keys.write_all(keys.as_bytes()).expect("keys taken");
        self.keys.flush().expect("keys taken");
        self.shows(part)
    }

    fn resize(&self, columns: u16, rows: u16) {
        // First the reader: what the program draws at once is for the new size.
        let mut parser = self.screen.lock().expect("no panic");
        let screen = parser.screen_mut();
        screen.set_size(nonzero(rows), nonzero(columns));
        drop(parser);
        self.master.resize(size(columns, rows)).expect("resized");
    }

    fn kill(&self, signal: Signal) {
        let pid = self.child.process_id().expect("a process");
        let pid = Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("a signal");
    }

    /// Waits for the end, and sees that the terminal is as it was.
    fn end(mut self) -> ExitStatus {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "no end of\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(modes(self.master.as_ref()), self.modes);
        let start = Instant::now();
        let restored = || {
            let parser = self.screen.lock().expect("no panic");
            let screen = parser.screen();
            !screen.alternate_screen() && !screen.hide_cursor()
        };
        while !restored() {
            assert!(start.elapsed() < PATIENCE, "the screen is not given back");
            std::thread::sleep(Duration::from_millis(10));
        }
        status
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a size")
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("modes"))
}

const SEED: [&str; 4] = ["tui", SLOW, "--seed", "1"];

/// The place and the end that the last line shows: `14,013/314,561`.
fn place(text: &str) -> (u64, u64) {
    let last = text.trim_end().lines().last().expect("a last line");
    let numbers = last.split(' ').nth(1).expect("a second word");
    let (now, all) = numbers.split_once('/').expect("two numbers");
    let number = |text: &str| text.replace(',', "").parse().expect("a number");
    (number(now), number(all))
}

#[test]
fn a_run_is_stepped_and_stopped_and_left() {
    let lab = Lab::new();
    let mut session = Session::start(&lab.path(""), &SEED, (80, 24));
    let text = session.shows("before the first");
    for part in [
        "── Nodes",
        "old  primary",
        "seed 1 flagged, 21 findings",
        "? help",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(place(&text).0, 0);
    let all = place(&text).1;

    // One on, one back, a hundred on, to both ends. (Keys as a terminal sends them.)
    let place_after = |session: &mut Session, keys: &str, at: u64| {
        let part = format!(" {}/", grouped(at));
        assert_eq!(place(&session.press(keys, &part)).0, at);
    };
    place_after(&mut session, "\x1b[C", 1);
    place_after(&mut session, "ll", 3);
    place_after(&mut session, "\x1b[D", 2);
    place_after(&mut session, "\x1b[6~", 102);
    place_after(&mut session, "\x1b[1;2D", 2);
    place_after(&mut session, "\x1b[F", all);
    place_after(&mut session, "h", all - 1);
    place_after(&mut session, "\x1b[H", 0);

    // A role change: old demotes itself while its failover is in progress.
    let text = session.press("brole old\rc", "▶ 1.312910s old");
    assert!(text.contains("failover-in-progress, link down"), "{text}");
    assert!(text.contains("breakpoint role old"), "{text}");
    let role = place(&text).0;
    // A gate, forward, and back to the role.
    session.press(
        "bgate StandaloneRedirect\rc",
        "breakpoint gate StandaloneRedirect",
    );
    session.shows("gate StandaloneRedirect");
    session.press("d2\r", "deleted; 1 breakpoint left");
    let text = session.press("C", "breakpoint role old");
    session.shows("▶ 1.312910s old");
    assert_eq!(place(&session.text()).0, role, "{text}");
    // A client, which is then followed.
    let text = session.press("dall\rbclient readers/1\rc", "breakpoint client readers/1");
    assert!(place(&text).0 > role);
    session.shows("readers/1*  connected to");
    // A finding, with its reasons.
    session.press(
        "dall\rbfinding bounce\rc",
        "finding bounce: readers/1 GET #131",
    );
    session.shows("3.314207s");
    // A time, there and back.
    session.press("t1.5s\r", "1.500000s");
    // A breakpoint that is none: the nearest is named, and the answer can be put right.
    session.press(
        "bgate StandaloneRedirct\r",
        "nearest: \"StandaloneRedirect\"",
    );
    session.press(
        "\x7f\x7fect\r",
        "breakpoint gate StandaloneRedirect: c goes there",
    );
    session.press("fnobody/1\r", "no client \"nobody/1\"");
    session.press(
        "\x1b",
        "breakpoints: 1 finding bounce, 2 gate StandaloneRedirect",
    );
    // The story by itself, words in it, help.
    session.press("s", "── Story of readers/1");
    session.press("g/demotes itself\r", "▶ 1.312910s old");
    session.press("?", "other keys go back");
    session.press("x", "── Story of");

    // Other sizes.
    session.resize(40, 12);
    // It is empty for a moment before it is drawn anew.
    session.until("a small screen with the cursor's place", |text| {
        !text.contains("──") && text.contains("1.312910s")
    });
    session.resize(30, 8);
    session.shows("needs 40 by 12");
    session.resize(130, 40);
    session.shows("handover-slow under 8.0.0-rc1");
    session.keys.write_all(b"q").expect("keys taken");
    let status = session.end();
    assert_eq!((status.exit_code(), status.signal()), (1, None));
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

#[test]
fn a_clean_run_ends_with_nought() {
    let lab = Lab::new();
    let mut session = Session::start(&lab.path(""), &["tui", CLEAN, "--seed", "1"], (80, 24));
    session.shows("Findings: none");
    session.keys.write_all(b"q").expect("keys taken");
    assert_eq!(session.end().exit_code(), 0);
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let lab = Lab::new();
    let window = ["--until", "1.4s"];
    let arguments = [&SEED[..], &window].concat();
    let mut session = Session::start(&lab.path(""), &arguments, (80, 24));
    session.shows("before the first");
    assert_ne!(modes(session.master.as_ref()), session.modes);
    session.keys.write_all(b"\x03").expect("keys taken");
    let status = session.end();
    assert_eq!(status.signal(), Some("Interrupt"), "{status:?}");
    // In the middle of typing.
    for (signal, name) in [(Signal::TERM, "Terminated"), (Signal::HUP, "Hangup")] {
        let mut session = Session::start(&lab.path(""), &arguments, (80, 24));
        session.shows("before the first");
        session.press("b", "break on: ");
        session.kill(signal);
        let status = session.end();
        assert_eq!(status.signal(), Some(name), "{status:?}");
    }
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let lab = Lab::new();
    let arguments = [&SEED[..], &["--until", "1.4s"]].concat();
    let never = [&arguments[..], &["--color", "never"]].concat();
    let always = [&arguments[..], &["--color", "always"]].concat();
    let no_color = [("NO_COLOR", "1")];
    for (arguments, environment, expected) in [
        (&arguments, &[][..], true),
        (&arguments, &no_color[..], false),
        (&never, &[], false),
        (&always, &no_color[..], true),
    ] {
        let mut session = Session::start_with(&lab.path(""), arguments, (80, 24), environment);
        session.shows("before the first");
        session.press("bbounce\rc", "▶ 1.313703s");
        let coloured = {
            let parser = session.screen.lock().expect("no panic");
            let cells = (0..24).flat_map(|row| (0..80).map(move |column| (row, column)));
            let mut cells = cells.filter_map(|(row, column)| parser.screen().cell(row, column));
            cells.any(|cell| cell.fgcolor() != vt100::Color::Default)
        };
        assert_eq!(coloured, expected, "{arguments:?} {environment:?}");
        session.keys.write_all(b"q").expect("keys taken");
        session.end();
    }
}

#[test]
fn without_a_terminal_it_says_what_does_without_one() {
    let lab = Lab::new();
    let ended = lab.run(&SEED);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(
        ended.stderr.starts_with("rebound: tui needs a terminal"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("replay --state"), "{}", ended.stderr);
    let dumb = [("TERM", "dumb")];
    let mut session = Session::start_with(&lab.path(""), &SEED, (80, 24), &dumb);
    session.shows("TERM is \"dumb\"");
    assert_eq!(session.child.wait().expect("an end").exit_code(), 2);
}

#[test]
fn mistakes_are_told_before_the_terminal_is_taken() {
    let lab = Lab::new();
    for (more, part) in [
        (&["--client", "nobody/7"][..], "no client \"nobody/7\""),
        (&["--behaviour", "8.0.2"], "nearest: \"8.0.1\""),
        (&["--schedule", "none.json"], "cannot read none.json"),
        (&["--from", "2s", "--until", "1s"], "later than --from"),
        (&["--format", "json"], "replay --state"),
    ] {
        let ended = lab.run(&[&SEED[..], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{more:?}");
        assert!(ended.stderr.contains(part), "{more:?}: {}", ended.stderr);
    }
    // A terminal is not kept for a stretch in which nothing happens.
    let empty = [&SEED[..], &["--from", "100s"]].concat();
    let mut session = Session::start(&lab.path(""), &empty, (120, 24));
    session.shows("nothing happens from 100.000000s");
    assert_eq!(session.child.wait().expect("an end").exit_code(), 2);
}

#[test]
fn it_ends_when_its_terminal_goes_away() {
    let lab = Lab::new();
    let pair = native_pty_system()
        .openpty(size(80, 24))
        .expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_rebound"));
    command.cwd(lab.path(""));
    command.args(["tui", CLEAN, "--seed", "1"]);
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).expect("a program");
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let drawn = reader.read(&mut [0; 4096]).expect("what it draws");
    assert!(drawn > 0);
    // As a window that is closed: nobody holds the other end any more.
    drop(reader);
    drop(pair.master);
    let start = Instant::now();
    let mut ended = None;
    while ended.is_none() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
        ended = child.try_wait().expect("a child");
    }
    let _ = child.kill();
    assert!(ended.is_some(), "it goes on without a terminal");
}
