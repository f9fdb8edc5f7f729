//! Which unit each unfinished command is in, by the command's number: a reply carries that.

use std::collections::VecDeque;

/// No unit: the command has ended.
const ENDED: u16 = u16::MAX;

/// Units by their commands' numbers, from the oldest unfinished command to the newest.
#[derive(Debug)]
pub(super) struct Numbers {
    oldest: u32,
    units: VecDeque<u16>,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers {
            oldest: 0,
            units: VecDeque::with_capacity(4),
        }
    }
}

impl Numbers {
    pub(super) fn clear(&mut self) {
        self.oldest = 0;
        self.units.clear();
    }

    /// The next command is issued, in this unit.
    #[inline]
    pub(super) fn issue(&mut self, unit: u16) {
        self.units.push_back(unit);
    }

    /// A command is in another unit from now on.
    pub(super) fn move_to(&mut self, unit: u16, number: u32) {
        if let Some(place) = self.place(number) {
            self.units[place] = unit;
        }
    }

    #[inline]
    pub(super) fn end(&mut self, number: u32) {
        if let Some(place) = self.place(number) {
            self.units[place] = ENDED;
        }
        while self.units.front() == Some(&ENDED) {
            self.units.pop_front();
            self.oldest = self.oldest.wrapping_add(1);
        }
    }

    /// The unit of a command, if it has not ended.
    #[inline]
    pub(super) fn unit(&self, number: u32) -> Option<u16> {
        let unit = self.units[self.place(number)?];
        (unit != ENDED).then_some(unit)
    }

    #[inline]
    fn place(&self, number: u32) -> Option<usize> {
        let place = number.wrapping_sub(self.oldest) as usize;
        (place < self.units.len()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_until_it_ends() {
        let mut numbers = Numbers::default();
        for unit in [4, 4, 7] {
            numbers.issue(unit);
        }
        numbers.move_to(9, 1);
        numbers.end(2);
        let units = [0, 1, 2, 3].map(|number| numbers.unit(number));
        assert_eq!(units, [Some(4), Some(9), None, None]);
        numbers.end(0);
        numbers.end(1);
        assert!(numbers.units.is_empty());
        numbers.issue(5);
        assert_eq!([numbers.unit(0), numbers.unit(3)], [None, Some(5)]);
    }
}
