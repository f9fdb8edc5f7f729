//! Virtual time: integer nanoseconds, so that no rounding can differ between machines.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// An instant of virtual time, in nanoseconds since the run's start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

/// A length of virtual time, in nanoseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

impl Time {
    /// The run's start.
    pub const ZERO: Time = Time(0);
    /// Later than any time that a run can reach; the value of "never".
    pub const NEVER: Time = Time(u64::MAX);

    /// The instant in nanoseconds since the run's start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// The zero duration.
    pub const ZERO: Duration = Duration(0);

    /// A span of `n` nanoseconds.
    pub const fn nanos(n: u64) -> Duration {
        Duration(n)
    }

    /// A span of `n` microseconds.
    pub const fn micros(n: u64) -> Duration {
        Duration(n * 1_000)
    }

    /// A span of `n` milliseconds.
    pub const fn millis(n: u64) -> Duration {
        Duration(n * 1_000_000)
    }

    /// A span of `n` seconds.
    pub const fn secs(n: u64) -> Duration {
        Duration(n * 1_000_000_000)
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// `self` × `factor`, at most [`u64::MAX`] nanoseconds.
    pub const fn times(self, factor: u64) -> Duration {
        Duration(self.0.saturating_mul(factor))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// Saturates at [`Time::NEVER`], so that "never plus something" stays never.
    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Add for Duration {
    type Output = Duration;

    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Duration;

    fn sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }
}

/// The units of durations in scenarios and in output, longest first.
const UNITS: [(&str, u64); 5] = [
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Duration {
    /// Reads a duration such as `"150us"`, `"1.5ms"`, `"2s"` or `"1m"`; `"0"` needs no unit.
    ///
    /// # Errors
    /// A sentence that says what was found and what was expected.
    pub fn parse(text: &str) -> Result<Duration, String> {
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        if text.starts_with('-') {
            return Err(format!(
                "negative duration \"{text}\": a duration is zero or longer"
            ));
        }
        let split = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let found = if unit.is_empty() {
                "no unit".to_owned()
            } else {
                format!("unit \"{unit}\"")
            };
            return Err(format!(
                "duration \"{text}\" has {found}: expected a number with one of ns, us, ms, s, m, such as \"150us\""
            ));
        };
        let malformed = || {
            format!(
                "duration \"{text}\" has no readable number before its unit: expected for example \"1.5{unit}\""
            )
        };
        let too_long = || format!("duration \"{text}\" is longer than a run can be");
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
            return Err(malformed());
        }
        let whole: u64 = whole.parse().map_err(|_| too_long())?;
        let mut nanos = whole.checked_mul(scale).ok_or_else(too_long)?;
        let mut place = scale;
        for digit in fraction.bytes() {
            if place % 10 != 0 {
                return Err(format!("duration \"{text}\" is finer than a nanosecond"));
            }
            place /= 10;
            nanos = nanos
                .checked_add(u64::from(digit - b'0') * place)
                .ok_or_else(too_long)?;
        }
        Ok(Duration(nanos))
    }
}

impl Duration {
    /// The span in the largest unit that divides it, so that it is read back exactly.
    pub(crate) fn exact(self) -> String {
        let (unit, scale) = UNITS[1..]
            .iter()
            .find(|(_, scale)| self.0.is_multiple_of(*scale))
            .unwrap_or(&("ns", 1));
        format!("{}{unit}", self.0 / scale)
    }
}

impl fmt::Display for Duration {
    /// Prints in the largest unit that is not more than the span, with up to three decimals
    /// (truncated): `1.25ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = UNITS[1..]
            .iter()
            .find(|(_, scale)| self.0 >= *scale)
            .unwrap_or(&("s", 1_000_000_000));
        let (whole, rest) = (self.0 / scale, self.0 % scale);
        let thousandths = u64::try_from(u128::from(rest) * 1000 / u128::from(*scale)).unwrap_or(0);
        if thousandths == 0 {
            return f.pad(&format!("{whole}{unit}"));
        }
        let decimals = format!("{thousandths:03}");
        f.pad(&format!("{whole}.{}{unit}", decimals.trim_end_matches('0')))
    }
}

impl fmt::Display for Time {
    /// Prints seconds with microseconds, aligned for columns: `1.204113s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::NEVER {
            return f.pad("never");
        }
        f.pad(&format!(
            "{}.{:06}s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000 / 1_000
        ))
    }
}

impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.exact())
    }
}

impl<'de> serde::Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as a string with a unit, such as \"150us\" or \"2s\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
                Duration::parse(text).map_err(E::custom)
            }
        }
        from.deserialize_str(Visitor)
    }
}

impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(0|[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m))$",
            "description": "A duration: a number with a unit (ns, us, ms, s, m), such as \"150us\"."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        assert_eq!(Duration::parse("150us"), Ok(Duration(150_000)));
        assert_eq!(Duration::parse("1.5ms"), Ok(Duration(1_500_000)));
        assert_eq!(Duration::parse("2s"), Ok(Duration(2_000_000_000)));
        assert_eq!(Duration::parse("1m"), Ok(Duration(60_000_000_000)));
        assert_eq!(Duration::parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn bad_durations_say_what_is_wrong() {
        for (text, part) in [
            ("-5ms", "negative"),
            ("5", "no unit"),
            ("5 ms", "unit \" ms\""),
            ("5sec", "unit \"sec\""),
            ("ms", "no readable number"),
            ("1.2.3ms", "no readable number"),
            ("1.5ns", "finer than a nanosecond"),
            ("99999999999999999999s", "longer than a run"),
            ("", "no unit"),
        ] {
            let error = Duration::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn spans_print_in_the_unit_that_fits() {
        for (span, text) in [
            (Duration(0), "0s"),
            (Duration(950), "950ns"),
            (Duration(1_250_000), "1.25ms"),
            (Duration::secs(2), "2s"),
            (Duration::millis(1_999), "1.999s"),
        ] {
            assert_eq!(span.to_string(), text);
        }
        assert_eq!(Time(1_204_113_999).to_string(), "1.204113s");
    }
}
