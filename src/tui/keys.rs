//! Which key does what. The table is also what help shows.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::cursor::Way;
use super::prompt::Question;

/// What a key asks for while nothing is being typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Move by this many records.
    Step(Way, usize),
    /// Go to the beginning or the end.
    Edge(Way),
    /// Go to the next record of the story.
    Story(Way),
    /// Go to the next record at which a breakpoint is hit.
    Continue(Way),
    /// Go to the next record with the words that were looked for.
    Match(Way),
    /// Type an answer.
    Ask(Question),
    /// Tell every record, or only the story.
    Telling,
    /// Follow the next client with a finding.
    NextFlagged,
    /// Show other nodes, if there is no room for all.
    Scroll(Way),
    /// Show what keys do.
    Help,
    /// Leave.
    Quit,
}

/// What a key does while an answer is being typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Adds a character.
    Type(char),
    /// Takes the last one away.
    Erase,
    /// Takes all of them away.
    Clear,
    /// The answer is complete.
    Enter,
    /// There is no answer.
    Escape,
}

/// Records that a long step goes.
const LONG: usize = 100;

/// Keys with what they do: the keys, their names, the order, and what help says. Two rows of one
/// meaning have help with the first.
type Row = (&'static [KeyCode], &'static str, Order, &'static str);

use KeyCode::{Char, Down, End, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// Every order.
pub const KEYS: [Row; 24] = [
    (
        &[Right, Char('l'), Down, Char('j')],
        "→ l",
        Order::Step(Way::Forward, 1),
        "one record on",
    ),
    (
        &[Left, Char('h'), Up, Char('k')],
        "← h",
        Order::Step(Way::Back, 1),
        "one record back",
    ),
    (
        &[PageDown, Char('L')],
        "PgDn L",
        Order::Step(Way::Forward, LONG),
        "100 records on (or Shift-→)",
    ),
    (
        &[PageUp, Char('H')],
        "PgUp H",
        Order::Step(Way::Back, LONG),
        "100 records back (or Shift-←)",
    ),
    (
        &[Home, Char('g')],
        "Home g",
        Order::Edge(Way::Back),
        "to the beginning",
    ),
    (
        &[End, Char('G')],
        "End G",
        Order::Edge(Way::Forward),
        "to the end",
    ),
    (
        &[Char('n')],
        "n",
        Order::Story(Way::Forward),
        "next record of the story",
    ),
    (
        &[Char('N')],
        "N",
        Order::Story(Way::Back),
        "previous record of the story",
    ),
    (
        &[Char('b')],
        "b",
        Order::Ask(Question::Breakpoint),
        "set a breakpoint",
    ),
    (
        &[Char('c')],
        "c",
        Order::Continue(Way::Forward),
        "on to the next breakpoint",
    ),
    (
        &[Char('C')],
        "C",
        Order::Continue(Way::Back),
        "back to the last breakpoint",
    ),
    (
        &[Char('d')],
        "d",
        Order::Ask(Question::Delete),
        "delete a breakpoint, or all",
    ),
    (
        &[Char('t')],
        "t",
        Order::Ask(Question::Time),
        "go to a time, such as 1.2s",
    ),
    (
        &[Char('f')],
        "f",
        Order::Ask(Question::Client),
        "follow a client, such as app/3",
    ),
    (
        &[Tab],
        "Tab",
        Order::NextFlagged,
        "next client with a finding",
    ),
    (
        &[Char('/')],
        "/",
        Order::Ask(Question::Words),
        "look for words",
    ),
    (
        &[Char('.')],
        ".",
        Order::Match(Way::Forward),
        "next with these words",
    ),
    (
        &[Char(',')],
        ",",
        Order::Match(Way::Back),
        "previous with these words",
    ),
    (
        &[Char('s')],
        "s",
        Order::Telling,
        "every record, or the story",
    ),
    (
        &[Char(']')],
        "]",
        Order::Scroll(Way::Forward),
        "show further nodes",
    ),
    (
        &[Char('[')],
        "[",
        Order::Scroll(Way::Back),
        "show earlier nodes",
    ),
    (&[Char('?')], "?", Order::Help, "this help"),
    (&[Char('q')], "q", Order::Quit, "quit"),
    (&[], "Ctrl-C", Order::Quit, "quit at once (exit code 130)"),
];

/// What a key asks for while nothing is being typed.
pub fn order(key: KeyEvent) -> Option<Order> {
    if key
        .modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
    {
        return None;
    }
    let long = key.modifiers.contains(KeyModifiers::SHIFT);
    let (_, _, order, _) = KEYS.iter().find(|(keys, ..)| keys.contains(&key.code))?;
    if long && let Order::Step(way, _) = *order {
        return Some(Order::Step(way, LONG));
    }
    Some(*order)
}

/// What a key does while an answer is being typed.
pub fn edit(key: KeyEvent) -> Option<Edit> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if let Char(typed) = key.code {
        return match typed {
            'u' if control => Some(Edit::Clear),
            _ if control => None,
            typed => Some(Edit::Type(typed)),
        };
    }
    let table = [
        (KeyCode::Backspace, Edit::Erase),
        (KeyCode::Enter, Edit::Enter),
        (KeyCode::Esc, Edit::Escape),
    ];
    let (_, edit) = table.into_iter().find(|(code, _)| *code == key.code)?;
    Some(edit)
}

/// Whether it is Ctrl-C.
pub fn interrupts(key: KeyEvent) -> bool {
    key.code == Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn no_key_has_two_meanings() {
        let mut all: Vec<KeyCode> = KEYS
            .iter()
            .flat_map(|(keys, ..)| keys.iter().copied())
            .collect();
        let count = all.len();
        all.sort_by_key(|code| format!("{code:?}"));
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn help_fits_the_smallest_terminal() {
        for (_, keys, _, what) in KEYS {
            assert!(keys.chars().count() <= 8, "{keys}");
            assert!(what.chars().count() <= 30, "{what}");
        }
    }

    #[test]
    fn shift_makes_a_step_long() {
        assert_eq!(order(key(Right)), Some(Order::Step(Way::Forward, 1)));
        let shifted = KeyEvent::new(Left, KeyModifiers::SHIFT);
        assert_eq!(order(shifted), Some(Order::Step(Way::Back, 100)));
        // Terminals say that Shift is down for capitals as well.
        let capital = KeyEvent::new(Char('C'), KeyModifiers::SHIFT);
        assert_eq!(order(capital), Some(Order::Continue(Way::Back)));
    }

    #[test]
    fn control_is_for_editing_and_interrupts() {
        let control = |c| KeyEvent::new(Char(c), KeyModifiers::CONTROL);
        assert_eq!(order(control('c')), None);
        assert!(interrupts(control('c')) && !interrupts(key(Char('c'))));
        assert_eq!(edit(control('u')), Some(Edit::Clear));
        assert_eq!(edit(control('x')), None);
        assert_eq!(edit(key(Char('q'))), Some(Edit::Type('q')));
        assert_eq!(edit(key(Left)), None);
    }
}
