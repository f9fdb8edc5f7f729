//! The recording's time and the model's: which instant of the one is which of the other.

use rebound_engine::{Duration, Time};

/// A map of instants, straight between the knots, of slope one before the first and after the
/// last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeMap {
    /// Recorded and modelled, neither ever running back.
    knots: Vec<(Time, Time)>,
}

impl TimeMap {
    /// The map that joins these pairs. Where they run back they are bent straight.
    pub(crate) fn joining(mut knots: Vec<(Time, Time)>) -> TimeMap {
        knots.sort_unstable();
        let mut latest = Time::ZERO;
        for (_, modelled) in &mut knots {
            *modelled = latest.max(*modelled);
            latest = *modelled;
        }
        // Of several at one recorded instant the last counts, so that the map is one.
        knots.reverse();
        knots.dedup_by_key(|(recorded, _)| *recorded);
        knots.reverse();
        TimeMap { knots }
    }

    /// The model's instant.
    pub fn modelled(&self, recorded: Time) -> Time {
        let after = self.knots.partition_point(|(at, _)| *at <= recorded);
        let before = after.checked_sub(1).map(|index| self.knots[index]);
        match (before, self.knots.get(after)) {
            (None, None) => recorded,
            (None, Some((at, to))) => Time(to.0.saturating_sub(at.0 - recorded.0)),
            (Some((at, to)), None) => to + recorded.since(at),
            (Some((from, to)), Some((next_from, next_to))) => {
                let (part, whole) = (recorded.since(from).0, next_from.since(from).0);
                let length = next_to.since(to).0;
                let scaled = u128::from(length) * u128::from(part) / u128::from(whole.max(1));
                // No more than the length, which is one of these spans.
                to + Duration(scaled as u64)
            }
        }
    }

    /// Between which knots an instant of the recording lies, counted from zero.
    pub(crate) fn place_recorded(&self, at: Time) -> usize {
        self.knots.partition_point(|(recorded, _)| *recorded <= at)
    }

    /// The same of an instant of the model.
    pub(crate) fn place_modelled(&self, at: Time) -> usize {
        self.knots.partition_point(|(_, modelled)| *modelled <= at)
    }

    /// How far the two are from one another at most, at the knots.
    pub(crate) fn farthest(&self, other: &TimeMap) -> Duration {
        let apart = self.knots.iter().map(|(recorded, modelled)| {
            let other = other.modelled(*recorded);
            other.since(*modelled).max(modelled.since(other))
        });
        apart.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_straight_between_knots_and_of_slope_one_beyond() {
        let time_map = TimeMap::joining(vec![(Time(100), Time(200)), (Time(200), Time(250))]);
        let modelled = |at| time_map.modelled(Time(at)).0;
        assert_eq!(modelled(90), 190);
        assert_eq!(modelled(100), 200);
        assert_eq!(modelled(150), 225);
        assert_eq!(modelled(200), 250);
        assert_eq!(modelled(230), 280);
        assert_eq!(TimeMap::default().modelled(Time(7)), Time(7));
        assert_eq!(time_map.place_recorded(Time(150)), 1);
        assert_eq!(time_map.place_modelled(Time(250)), 2);
    }

    #[test]
    fn it_never_runs_back() {
        let knots = vec![
            (Time(10), Time(50)),
            (Time(20), Time(40)),
            (Time(20), Time(60)),
            (Time(30), Time(55)),
        ];
        let time_map = TimeMap::joining(knots);
        let all: Vec<Time> = (0..50).map(|at| time_map.modelled(Time(at))).collect();
        assert!(all.is_sorted(), "{all:?}");
        assert_eq!(time_map.modelled(Time(20)), Time(60));
    }
}
