//! The terminal: taken over, read from, and given back whatever happens.

use std::io::{IsTerminal, Stdout, Write, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{Event, KeyEvent, KeyEventKind, poll, read};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, style};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::Failure;

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// How long to wait for a key before looking for a signal.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a signal may wait to be obeyed: less than anybody would.
const GRACE: Duration = Duration::from_millis(500);

/// A terminal that was taken over. It is given back when this is dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// The latest signal, or zero.
    signal: Arc<AtomicUsize>,
}

/// What comes from outside.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// The system wants the program to end.
    Signal(i32),
    /// Nothing yet.
    Nothing,
}

/// Whether there is a terminal to draw on and to read keys from.
///
/// # Errors
/// A message that says what does without one.
pub fn check() -> Result<(), Failure> {
    let instead = "rebound replay --state shows the state at an instant without one";
    for (there, what) in [
        (stdin().is_terminal(), "standard input"),
        (stdout().is_terminal(), "standard output"),
    ] {
        if !there {
            return Err(Failure::usage(format!(
                "tui needs a terminal; {what} is not one: {instead}"
            )));
        }
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(Failure::usage(format!(
            "tui needs a terminal that it can draw on, and TERM is \"dumb\": {instead}"
        )));
    }
    Ok(())
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If the system or the terminal does not allow it.
    pub fn enter() -> Result<Screen, Failure> {
        let signal = Arc::new(AtomicUsize::new(0));
        for wanted in [SIGTERM, SIGHUP, SIGINT] {
            let number = usize::try_from(wanted).unwrap_or_default();
            signal_hook::flag::register_usize(wanted, Arc::clone(&signal), number)
                .map_err(|error| cannot("listen for signals", &error))?;
        }
        end_what_hangs(Arc::clone(&signal));
        // What a panic prints must not be lost with the other screen.
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
        // Whether there are colours is decided by who draws.
        style::force_color_output(true);
        TAKEN.store(true, Ordering::SeqCst);
        let taken = enable_raw_mode()
            .and_then(|()| execute!(stdout(), EnterAlternateScreen))
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match taken {
            Ok(terminal) => Ok(Screen { terminal, signal }),
            Err(error) => {
                restore();
                Err(cannot("use the terminal", &error))
            }
        }
    }

    /// Draws.
    ///
    /// # Errors
    /// If nothing can be written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<(), Failure> {
        match self.terminal.draw(draw) {
            Ok(_) => Ok(()),
            Err(error) => Err(cannot("draw", &error)),
        }
    }

    /// What comes next; waits a little for it.
    ///
    /// # Errors
    /// If nothing can be read.
    pub fn next(&mut self) -> Result<Input, Failure> {
        self.take(PATIENCE)
    }

    /// What has come already.
    ///
    /// # Errors
    /// If nothing can be read.
    pub fn pending(&mut self) -> Result<Input, Failure> {
        self.take(Duration::ZERO)
    }

    fn take(&mut self, patience: Duration) -> Result<Input, Failure> {
        let event =
            poll(patience).and_then(|there| if there { read().map(Some) } else { Ok(None) });
        // A terminal that goes away says so twice: by a signal and by an error.
        match i32::try_from(self.signal.load(Ordering::SeqCst)) {
            Ok(signal) if signal != 0 => return Ok(Input::Signal(signal)),
            Ok(_) | Err(_) => {}
        }
        let event = event.map_err(|error| cannot("read from the terminal", &error))?;
        Ok(match event {
            Some(Event::Key(key)) if key.kind != KeyEventKind::Release => Input::Key(key),
            Some(Event::Resize(..)) => Input::Resized,
            Some(
                Event::Key(_)
                | Event::FocusGained
                | Event::FocusLost
                | Event::Mouse(_)
                | Event::Paste(_),
            )
            | None => Input::Nothing,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Ends the program if a signal is not obeyed. From a terminal that has gone away nothing can be
/// read, and who tries is never told so: the library reads again and again.
fn end_what_hangs(signal: Arc<AtomicUsize>) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(PATIENCE);
            let came = i32::try_from(signal.load(Ordering::SeqCst)).unwrap_or_default();
            if came != 0 {
                std::thread::sleep(GRACE);
                restore();
                let _ = end_by(came);
            }
        }
    });
}

/// Gives the terminal back, once.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// Ends the program as the signal would have ended it.
///
/// # Errors
/// If that fails.
pub fn end_by(signal: i32) -> Result<(), Failure> {
    signal_hook::low_level::emulate_default_handler(signal)
        .map_err(|error| cannot("end by a signal", &error))
}

fn cannot(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    /// Not by itself: the test below runs it on a terminal.
    #[test]
    #[ignore = "needs a terminal, and panics"]
    fn panics() {
        if check().is_ok() {
            let _screen = Screen::enter().expect("a terminal");
            panic!("in the middle of drawing");
        }
    }

    #[test]
    fn a_panic_gives_the_terminal_back() {
        let pair = native_pty_system().openpty(PtySize::default());
        let pair = pair.expect("a pseudo-terminal");
        let modes = || format!("{:?}", pair.master.get_termios().expect("modes"));
        let before = modes();
        let mut command = CommandBuilder::new(std::env::current_exe().expect("a program"));
        command.args(["--ignored", "--exact", "tui::terminal::tests::panics"]);
        command.env("TERM", "xterm");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let mut child = pair.slave.spawn_command(command).expect("a program");
        assert!(!child.wait().expect("an end").success());
        assert_eq!(modes(), before);
        let mut bytes = [0; 65_536];
        let count = reader.read(&mut bytes).expect("output");
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let place = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("no {part:?} in {text:?}"))
        };
        // The other screen is entered and left, and only then is the panic reported.
        let (enter, leave) = (place("\x1b[?1049h"), place("\x1b[?1049l"));
        assert!(
            enter < leave && leave < place("in the middle of drawing"),
            "{text:?}"
        );
    }
}
