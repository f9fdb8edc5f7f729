//! Where in a run one is: how many of its records have happened.

/// How many of the records kept have happened: zero is before the first one.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub usize);

/// Which way to look for something.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Towards the end.
    Forward,
    /// Towards the beginning.
    Back,
}

/// A place that can be moved and never leaves the run.
#[derive(Copy, Clone, Debug)]
pub struct Cursor {
    place: Place,
    last: Place,
}

impl Cursor {
    /// At the beginning of a run with this many records.
    pub fn new(records: usize) -> Cursor {
        Cursor {
            place: Place(0),
            last: Place(records),
        }
    }

    /// Where it is.
    pub fn place(self) -> Place {
        self.place
    }

    /// Moves forward by this many records, or to the end.
    pub fn step(&mut self, way: Way, records: usize) {
        let Place(now) = self.place;
        self.go(Place(match way {
            Way::Forward => now.saturating_add(records),
            Way::Back => now.saturating_sub(records),
        }));
    }

    /// Goes to a place, or to the end if that is beyond it.
    pub fn go(&mut self, place: Place) {
        self.place = place.min(self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_in_its_run() {
        let mut cursor = Cursor::new(150);
        cursor.step(Way::Back, 1);
        assert_eq!(cursor.place(), Place(0));
        cursor.step(Way::Forward, 100);
        assert_eq!(cursor.place(), Place(100));
        cursor.step(Way::Forward, 100);
        assert_eq!(cursor.place(), Place(150));
        cursor.step(Way::Back, 1);
        assert_eq!(cursor.place(), Place(149));
        cursor.go(Place(usize::MAX));
        assert_eq!(cursor.place(), Place(150));
        cursor.step(Way::Forward, usize::MAX);
        assert_eq!(cursor.place(), Place(150));
    }

    #[test]
    fn a_run_without_records_has_one_place() {
        let mut cursor = Cursor::new(0);
        cursor.step(Way::Forward, 1);
        assert_eq!(cursor.place(), Place(0));
    }
}
