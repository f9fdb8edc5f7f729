//! What each lane's host is and does, as texts that hold from a row on.

use super::shape::States;
use super::texts::Text;

/// The latest state of each lane, and all that has been noted.
pub(super) struct StateColumns {
    latest: Vec<Option<Text>>,
    states: States,
}

impl StateColumns {
    pub(super) fn new(lanes: usize) -> StateColumns {
        StateColumns {
            latest: vec![None; lanes],
            states: States::default(),
        }
    }

    /// From after the event of row `events - 1` on, the state of `lane` is `text`. What is noted
    /// after the same row again replaces what was.
    pub(super) fn note(&mut self, lane: u32, events: u32, text: Text) {
        let latest = &mut self.latest[lane as usize];
        if latest.as_ref() == Some(&text) {
            return;
        }
        self.states.push(lane, events, &text);
        *latest = Some(text);
    }

    pub(super) fn finish(self) -> States {
        self.states
    }
}
