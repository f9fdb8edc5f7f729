//! Which behaviour a real server follows, by what it calls itself.

use super::behaviour::{Base, Behaviour};

/// A version's number: major, minor, patch.
type Number = (u32, u32, u32);

/// The patch number from which on a version is a candidate for the next minor one: 8.0.0-rc1 calls
/// itself 7.9.240 (`VALKEY_VERSION`, version.h).
const CANDIDATE: u32 = 240;

impl Behaviour {
    /// The behaviour of a server that calls itself so: `8.1.8`, `8.0.0-rc1`, `unstable`, or the
    /// line that its binary prints, `Valkey server v=9.1.2 sha=…`. None if nobody has looked at
    /// what such a server does.
    ///
    /// - Redis 7.0 and 7.2 are what 7.2.7 is.
    /// - Candidates of 8.0 from the second on are 8.0.1; so is the development version of October
    ///   2024 (`unstable`, `v=255.255.255`), the only one that is known.
    /// - Candidates of 9.0 are none of these: with which of them PR 2329 begins is not known.
    pub fn of_server(version: &str) -> Option<&'static Behaviour> {
        let base = base_of(called(version))?;
        Behaviour::named(base.name())
    }
}

/// The version in what a server says of itself: what follows `v=`, else all of it.
fn called(version: &str) -> &str {
    let words = || version.split_whitespace();
    let after = words().find_map(|word| word.strip_prefix("v="));
    after.unwrap_or(version.trim())
}

/// The number and what follows it, without the sign between: `8.0.0-rc1` has `rc1`.
fn parsed(called: &str) -> Option<(Number, &str)> {
    let (number, suffix) = called.split_once(['-', '+']).unwrap_or((called, ""));
    let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
    let number = (
        parts.next()??,
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
    );
    parts.next().is_none().then_some((number, suffix))
}

fn base_of(called: &str) -> Option<Base> {
    if called == "unstable" {
        return Some(Base::V8_0_1);
    }
    let (number, suffix) = parsed(called)?;
    let candidate = suffix.starts_with("rc");
    match number {
        (255, 255, 255) => Some(Base::V8_0_1),
        (7, 0 | 2, _) => Some(Base::V7_2_7),
        (7, 9, CANDIDATE) => Some(Base::V8_0_0Rc1),
        (7, 9, patch) if patch > CANDIDATE => Some(Base::V8_0_1),
        (8, 0, 0) if suffix == "rc1" => Some(Base::V8_0_0Rc1),
        (8, 0, patch) if patch >= CANDIDATE => Some(Base::V8_1),
        (8, 0, _) => Some(Base::V8_0_1),
        (8, 1, patch) if patch < CANDIDATE => Some(Base::V8_1),
        (9, 0, 0) if candidate => None,
        (9, 0, patch) if patch >= CANDIDATE => Some(Base::V9_1),
        (9, 0, _) => Some(Base::V9_0),
        (9, 1, patch) if patch < CANDIDATE => Some(Base::V9_1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_what_they_call_themselves() {
        for (version, behaviour) in [
            ("7.2.7", Some("7.2.7")),
            (
                "Server v=7.2.7 sha=00000000:0 malloc=libc bits=64",
                Some("7.2.7"),
            ),
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc",
                Some("7.2.7"),
            ),
            ("8.0.0-rc1", Some("8.0.0-rc1")),
            (
                "Valkey server v=7.9.240 sha=00000000:1 malloc=libc",
                Some("8.0.0-rc1"),
            ),
            ("Valkey server v=7.9.241 sha=00000000:1", Some("8.0.1")),
            ("8.0.0-rc2", Some("8.0.1")),
            ("8.0.1", Some("8.0.1")),
            ("8.0.1-deb", Some("8.0.1")),
            ("8.0.1+dfsg1-1~bpo12+1", Some("8.0.1")),
            (
                "Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0",
                Some("8.0.1"),
            ),
            ("unstable", Some("8.0.1")),
            ("Valkey server v=255.255.255 sha=00000000:1", Some("8.0.1")),
            ("8.0.240", Some("8.1")),
            ("8.1", Some("8.1")),
            ("8.1.8", Some("8.1")),
            ("8.1.240", None),
            ("9.0.0-rc1", None),
            ("9.0.0", Some("9.0")),
            ("Valkey server v=9.0.5 sha=00000000:1", Some("9.0")),
            ("9.0.240", Some("9.1")),
            ("9.1.0", Some("9.1")),
            (
                "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64",
                Some("9.1"),
            ),
            ("9.1.240", None),
            ("9.2.0", None),
            ("7.4.1", None),
            ("10.0.0", None),
            ("6.2.6", None),
            ("8", None),
            ("8.0.1.2", None),
            ("eight", None),
            ("", None),
        ] {
            let found = Behaviour::of_server(version).map(|behaviour| behaviour.name);
            assert_eq!(found, behaviour, "{version}");
        }
    }

    /// Each version's own name and aliases are versions of it.
    #[test]
    fn names_of_versions_are_versions() {
        for base in Base::ALL {
            let behaviour = base.behaviour();
            let aliases = behaviour.aliases.iter().filter(|alias| **alias != "none");
            for name in aliases.chain([&behaviour.name]) {
                let found = Behaviour::of_server(name).map(|found| found.name);
                assert_eq!(found, Some(behaviour.name), "{name}");
            }
        }
    }
}
