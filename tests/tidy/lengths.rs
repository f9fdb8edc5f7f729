//! A file is read in one sitting, and a function fits on a screen.

use syn::visit::{self, Visit};

use crate::complaint::{Complaint, assert_none};
use crate::exceptions::{LONG_FILES, LONG_FUNCTIONS, LongFile, LongFunction};
use crate::repository::{Source, sources};

/// The most lines of a file.
const FILE: usize = 600;

/// The most lines of a function, from its name to its closing brace.
const FUNCTION: usize = 100;

const MANIFEST: &str = "tests/tidy/exceptions.rs";

#[test]
fn files_are_short() {
    assert_none(files(&sources("rs"), LONG_FILES));
}

#[test]
fn functions_are_short() {
    assert_none(functions(&sources("rs"), LONG_FUNCTIONS));
}

fn files(sources: &[Source], exceptions: &[LongFile]) -> Vec<Complaint> {
    let mut used = vec![false; exceptions.len()];
    let mut complaints = Vec::new();
    for source in sources {
        let lines = source.text.lines().count();
        if lines <= FILE {
            continue;
        }
        let exception = exceptions
            .iter()
            .position(|exception| source.path.ends_with(exception.path));
        let most = exception.map_or(FILE, |place| exceptions[place].lines);
        if let Some(place) = exception {
            used[place] = true;
        }
        if lines > most {
            complaints.push(Complaint::new(
                &source.path,
                1,
                format!("{lines} lines"),
                format!("at most {most}"),
            ));
        }
    }
    for (exception, _) in exceptions.iter().zip(used).filter(|(_, used)| !used) {
        complaints.push(unneeded(exception.path));
    }
    complaints
}

fn functions(sources: &[Source], exceptions: &[LongFunction]) -> Vec<Complaint> {
    let mut used = vec![false; exceptions.len()];
    let mut complaints = Vec::new();
    for source in sources {
        let file = syn::parse_file(&source.text);
        let file = file.unwrap_or_else(|error| panic!("{}: {error}", source.path));
        let mut measured = Functions::default();
        measured.visit_file(&file);
        for Function { name, line, lines } in measured.found {
            if lines <= FUNCTION {
                continue;
            }
            let exception = exceptions.iter().position(|exception| {
                source.path.ends_with(exception.path) && name == exception.function
            });
            let most = exception.map_or(FUNCTION, |place| exceptions[place].lines);
            if let Some(place) = exception {
                used[place] = true;
            }
            if lines > most {
                complaints.push(Complaint::new(
                    &source.path,
                    line,
                    format!("`{name}` with {lines} lines"),
                    format!("at most {most}"),
                ));
            }
        }
    }
    for (exception, _) in exceptions.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("{}, `{}`", exception.path, exception.function);
        complaints.push(unneeded(&what));
    }
    complaints
}

fn unneeded(what: &str) -> Complaint {
    Complaint::new(
        MANIFEST,
        1,
        format!("an exception for {what}, which is gone or short enough"),
        "no exception that is not needed",
    )
}

#[derive(Debug)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Measures all functions of a file, those within functions too.
#[derive(Debug, Default)]
struct Functions {
    found: Vec<Function>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.ident.span().start().line;
        let last = block.brace_token.span.close().end().line;
        self.found.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: last + 1 - line,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_seen() {
        let sample = |lines| [Source::sample("sim/a.rs", &"x\n".repeat(lines))];
        let exceptions = [LongFile {
            path: "a.rs",
            lines: 700,
        }];
        assert!(files(&sample(600), &[]).is_empty());
        let complaint = &files(&sample(601), &[])[0];
        assert_eq!(complaint.found, "601 lines");
        assert!(files(&sample(700), &exceptions).is_empty());
        assert_eq!(files(&sample(701), &exceptions)[0].expected, "at most 700");
        let complaint = &files(&sample(600), &exceptions)[0];
        assert!(complaint.found.contains("for a.rs"), "{complaint}");
    }

    #[test]
    fn a_long_function_is_seen_wherever_it_stands() {
        for (before, after) in [
            ("fn long() {", "}"),
            ("impl A { pub fn long(&self) {", "}\n}"),
            ("trait A { fn long(&self) {", "}\n}"),
            ("fn outer() { fn long() {", "}\n}"),
        ] {
            let sample = |lines: usize| {
                let text = format!("//!\n{before}{}{after}", "\n".repeat(lines - 1));
                [Source::sample("sim/a.rs", &text)]
            };
            let exceptions = [LongFunction {
                path: "a.rs",
                function: "long",
                lines: 120,
            }];
            let of_long = |lines, exceptions: &[LongFunction]| {
                let found = functions(&sample(lines), exceptions);
                let not_outer = |complaint: &Complaint| !complaint.found.contains("`outer`");
                found.into_iter().filter(not_outer).collect::<Vec<_>>()
            };
            assert!(of_long(100, &[]).is_empty(), "{before}");
            let found = of_long(101, &[]);
            assert_eq!(found[0].found, "`long` with 101 lines");
            assert_eq!(found[0].line, 2);
            assert!(of_long(120, &exceptions).is_empty(), "{before}");
            assert_eq!(of_long(121, &exceptions)[0].expected, "at most 120");
            let found = of_long(100, &exceptions);
            assert!(
                found[0].found.contains("`long`, which is gone"),
                "{found:?}"
            );
        }
    }
}
