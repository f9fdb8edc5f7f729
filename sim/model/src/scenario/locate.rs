//! Where in the text a place of the document stands, for mistakes that are found after reading.

/// Line and column (from one) of the value at `path`, such as `timeline[2].do.crash`, in `json`,
/// which must be well-formed. If the path leads nowhere (a default, a field that is missing),
/// the nearest value around it.
pub fn position_of(json: &str, path: &str) -> Option<(usize, usize)> {
    let mut scanner = Scanner {
        bytes: json.as_bytes(),
        at: 0,
    };
    scanner.skip_space();
    let mut found = scanner.at;
    for step in steps(path) {
        let entered = match step {
            Step::Key(key) => scanner.enter_key(key),
            Step::Index(index) => scanner.enter_index(index),
        };
        match entered {
            Some(()) => found = scanner.at,
            None => break,
        }
    }
    let before = json.get(..found)?;
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Some((line, column))
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// Splits a path into its steps.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '['])
        .filter(|part| !part.is_empty())
        .map(|part| match part.strip_suffix(']') {
            Some(index) => index.parse().map_or(Step::Key(part), Step::Index),
            None => Step::Key(part),
        })
}

struct Scanner<'j> {
    bytes: &'j [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Takes `byte` and the space around it.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        if self.peek()? != byte {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// From an object's beginning to the value of `key`.
    fn enter_key(&mut self, key: &str) -> Option<()> {
        self.take(b'{')?;
        loop {
            let start = self.at + 1;
            self.skip_string()?;
            let found = &self.bytes[start..self.at - 1] == key.as_bytes();
            self.take(b':')?;
            if found {
                return Some(());
            }
            self.skip_value()?;
            self.take(b',')?;
        }
    }

    /// From a list's beginning to its value at `index`.
    fn enter_index(&mut self, index: usize) -> Option<()> {
        self.take(b'[')?;
        for _ in 0..index {
            self.skip_value()?;
            self.take(b',')?;
        }
        (self.peek()? != b']').then_some(())
    }

    fn skip_string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// To what follows the value that begins here.
    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if depth == 0 => return Some(()),
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_missing_ones_lead_to_what_surrounds_them() {
        let json = "{\n  \"a\": [1, {\"b\\\"]\": \"}\", \"c\": 5}],\n  \"d\": {}\n}";
        for (path, position) in [
            ("", (1, 1)),
            ("a", (2, 8)),
            ("a[0]", (2, 9)),
            ("a[1].c", (2, 31)),
            ("a[2]", (2, 8)),
            ("d", (3, 8)),
            ("d.e.f", (3, 8)),
            ("x", (1, 1)),
        ] {
            assert_eq!(position_of(json, path), Some(position), "{path}");
        }
    }
}
