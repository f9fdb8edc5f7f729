//! Nothing is public that nobody outside its crate uses.
//!
//! The compiler warns of what is unused within a crate; what a library makes public it takes for
//! used. Here every public function, method, type, trait, constant and static of the workspace's
//! libraries is looked for in the code of all others: other packages, the program, and the crate's
//! own tests, examples and benchmarks.
//!
//! It goes by names. A `fn len` that anybody calls makes every `len` used; an item that a macro
//! defines is not seen, nor a use within a format string (`"{LIMIT}"`). A type that a public
//! signature, field or constant names is used, unless only its own `impl` names it. So what is
//! reported is not used for certain, and what is not reported may still be unused.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItem, Item, Visibility};

use crate::complaint::{Complaint, assert_none};
use crate::exceptions::{KEPT_PUBLIC, Kept};
use crate::repository::{Package, Source, packages, sources};

#[test]
fn public_items_are_used_outside_their_crate() {
    let sources = sources("rs");
    let packages = packages();
    let named: Vec<BTreeSet<String>> = sources.iter().map(named_in).collect();
    let mut complaints = Vec::new();
    for package in &packages {
        let library = Library::read(package, &sources, &named);
        let kept = KEPT_PUBLIC
            .iter()
            .filter(|kept| kept.package == package.name);
        let kept: Vec<&Kept> = kept.collect();
        complaints.extend(library.unused(&kept));
    }
    assert_none(complaints);
}

#[test]
fn exceptions_have_reasons() {
    for kept in KEPT_PUBLIC {
        assert!(kept.why.len() > 10, "{} stays public: why?", kept.item);
    }
}

/// A public item of a library.
#[derive(Debug)]
struct PublicItem {
    /// Its name; `Type::name` for what an `impl` of `Type` has.
    path: String,
    file: String,
    line: usize,
}

impl PublicItem {
    fn name(&self) -> &str {
        let path = self.path.rsplit("::");
        path.into_iter().next().unwrap_or_default()
    }
}

/// What a library makes public, and what others name.
#[derive(Debug, Default)]
struct Library {
    items: Vec<PublicItem>,
    /// Names in public signatures, fields and constants.
    exposed: BTreeSet<String>,
    /// Names in the code of others.
    used: BTreeSet<String>,
}

impl Library {
    /// Reads the library of `package`, if it has one, and the code of all others among `sources`.
    /// What each of them names is in `named`, in the same order.
    fn read(package: &Package, sources: &[Source], named: &[BTreeSet<String>]) -> Library {
        let mut library = Library::default();
        let root = package.path("src/lib.rs");
        let by_path: BTreeMap<&str, &Source> = sources
            .iter()
            .map(|source| (source.path.as_str(), source))
            .collect();
        if !by_path.contains_key(root.as_str()) {
            return library;
        }
        library.module(&root, &by_path);
        let own = package.path("src/");
        for (source, named) in sources.iter().zip(named) {
            if !source.path.starts_with(&own) {
                library.used.extend(named.iter().cloned());
            }
        }
        library
    }

    /// Reads a file and the modules that it declares, but for those that only tests have.
    fn module(&mut self, path: &str, sources: &BTreeMap<&str, &Source>) {
        let source = sources
            .get(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        let parsed: File =
            syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = match file {
            "lib.rs" | "mod.rs" => folder.to_owned(),
            file => format!("{folder}/{}", file.trim_end_matches(".rs")),
        };
        self.items_of(&parsed.items, path);
        for item in &parsed.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && !is_test(&module.attrs)
            {
                let flat = format!("{folder}/{}.rs", module.ident);
                let deep = format!("{folder}/{}/mod.rs", module.ident);
                let found = [flat, deep]
                    .into_iter()
                    .find(|path| sources.contains_key(path.as_str()));
                let found = found.unwrap_or_else(|| panic!("{path}: no file of {}", module.ident));
                self.module(&found, sources);
            }
        }
    }

    fn items_of(&mut self, items: &[Item], file: &str) {
        for item in items {
            self.item(item, file);
        }
    }

    fn item(&mut self, item: &Item, file: &str) {
        let (vis, ident) = match item {
            Item::Const(item) => (&item.vis, &item.ident),
            Item::Enum(item) => (&item.vis, &item.ident),
            Item::Fn(item) => (&item.vis, &item.sig.ident),
            Item::Static(item) => (&item.vis, &item.ident),
            Item::Struct(item) => (&item.vis, &item.ident),
            Item::Trait(item) => (&item.vis, &item.ident),
            Item::Type(item) => (&item.vis, &item.ident),
            Item::Union(item) => (&item.vis, &item.ident),
            Item::Impl(item) => return self.implementation(item, file),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content
                    && !is_test(&module.attrs)
                {
                    self.items_of(items, file);
                }
                return;
            }
            _ => return,
        };
        if is_public(vis) {
            self.add(ident.to_string(), ident, file);
            let mut named = Named::default();
            named.visit_item(item);
            named.names.remove(&ident.to_string());
            self.exposed.extend(named.names);
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl, file: &str) {
        let mut named = Named::default();
        let mut of = Named::default();
        of.visit_type(&item.self_ty);
        if let Some((path, _)) = &item.trait_ {
            // What a trait wants is public with the trait. Its parameters and associated types
            // are what its users get.
            named.visit_path(path);
            for item in &item.items {
                if let ImplItem::Type(item) = item {
                    named.visit_type(&item.ty);
                }
            }
            // The trait itself is not used by being implemented.
            if let Some(last) = path.segments.last() {
                named.names.remove(&last.ident.to_string());
            }
        } else {
            let owner = type_name(&item.self_ty);
            for item in &item.items {
                let (vis, ident) = match item {
                    ImplItem::Const(item) => (&item.vis, &item.ident),
                    ImplItem::Fn(item) => (&item.vis, &item.sig.ident),
                    _ => continue,
                };
                if is_public(vis) {
                    self.add(format!("{owner}::{ident}"), ident, file);
                    named.visit_impl_item(item);
                }
            }
        }
        for own in &of.names {
            named.names.remove(own);
        }
        self.exposed.extend(named.names);
    }

    fn add(&mut self, path: String, ident: &syn::Ident, file: &str) {
        self.items.push(PublicItem {
            path,
            file: file.to_owned(),
            line: ident.span().start().line,
        });
    }

    /// What nobody uses and `kept` does not excuse, and what `kept` excuses without need.
    fn unused(&self, kept: &[&Kept]) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut excused = BTreeSet::new();
        for item in &self.items {
            let name = item.name();
            if self.used.contains(name) || self.exposed.contains(name) {
                continue;
            }
            if kept.iter().any(|kept| kept.item == item.path) {
                excused.insert(item.path.as_str());
                continue;
            }
            complaints.push(Complaint::new(
                &item.file,
                item.line,
                format!(
                    "`{}`, public, which nobody outside its crate names",
                    item.path
                ),
                "`pub(crate)`, or nothing if its crate does not use it either",
            ));
        }
        for kept in kept.iter().filter(|kept| !excused.contains(kept.item)) {
            complaints.push(Complaint::new(
                "tests/tidy/exceptions.rs",
                1,
                format!("an exception for `{}`, which is gone or used", kept.item),
                "no exception that is not needed",
            ));
        }
        complaints
    }
}

/// The name of a type, without its path and parameters.
fn type_name(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => {
            let last = path.path.segments.last();
            last.map_or_else(String::new, |segment| segment.ident.to_string())
        }
        _ => "_".to_owned(),
    }
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// Whether something is there only in tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let only = attribute.path().is_ident("cfg");
        only && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The names of types and constants in what others see of an item: not in bodies, nor in fields
/// that are private.
#[derive(Debug, Default)]
struct Named {
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Named {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.names.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }

    fn visit_block(&mut self, _: &'ast syn::Block) {}

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_field(&mut self, field: &'ast syn::Field) {
        // Fields of variants have no visibility of their own: they come by `visit_variant`.
        if is_public(&field.vis) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        for field in &variant.fields {
            self.visit_type(&field.ty);
        }
    }
}

/// The names in a file, but for those that it defines.
fn named_in(source: &Source) -> BTreeSet<String> {
    let tokens: TokenStream = source
        .text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut found = BTreeSet::new();
    names(tokens, &mut found);
    found
}

/// Adds every name in `tokens`, but for those that are being defined.
fn names(tokens: TokenStream, into: &mut BTreeSet<String>) {
    const DEFINERS: [&str; 9] = [
        "fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod",
    ];
    let mut defines = false;
    for token in tokens {
        let mut next = false;
        match token {
            TokenTree::Group(group) => names(group.stream(), into),
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                next = DEFINERS.contains(&name.as_str());
                if !defines {
                    into.insert(name);
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        defines = next;
    }
}

mod tests {
    use super::*;

    /// What is found unused in a library that says `library`, while others say `user`.
    fn unused(library: &str, user: &str, kept: &[&Kept]) -> Vec<String> {
        let package = Package {
            name: "a".to_owned(),
            folder: "sim/a".to_owned(),
            manifest: toml::Table::new(),
        };
        let sources = [
            Source::sample("sim/a/src/lib.rs", library),
            Source::sample("sim/a/src/inner.rs", "pub fn deep() {}"),
            Source::sample("sim/a/tests/a.rs", user),
        ];
        let named: Vec<_> = sources.iter().map(named_in).collect();
        let found = Library::read(&package, &sources, &named).unused(kept);
        found.iter().map(Complaint::to_string).collect()
    }

    #[test]
    fn what_nobody_names_is_seen() {
        for (library, item) in [
            ("pub fn alone() {}", "alone"),
            ("pub struct Alone;", "Alone"),
            ("pub enum Alone {}", "Alone"),
            ("pub trait Alone {}", "Alone"),
            ("pub const ALONE: u8 = 1;", "ALONE"),
            (
                "pub struct A; impl A { pub fn alone(&self) {} }",
                "A::alone",
            ),
            (
                "pub struct A; impl A { pub const ALONE: u8 = 1; }",
                "A::ALONE",
            ),
            (
                "pub struct Alone; impl Alone { fn a() -> Alone { Alone } }",
                "Alone",
            ),
            ("pub struct Alone; impl From<u8> for Alone {}", "Alone"),
            ("struct A; impl Alone for A {} pub trait Alone {}", "Alone"),
            ("pub struct A { a: Alone } pub struct Alone;", "Alone"),
            (
                "pub struct A<E>(E); impl<E> A<E> { pub fn alone(&self) {} }",
                "A::alone",
            ),
            ("pub mod m { pub fn alone() {} }", "alone"),
            ("mod inner;", "deep"),
        ] {
            let found = unused(library, "use a::A; fn alone() {} const ALONE: u8 = 2;", &[]);
            assert_eq!(found.len(), 1, "{library}: {found:?}");
            assert!(found[0].contains(&format!("found `{item}`,")), "{found:?}");
        }
    }

    #[test]
    fn what_somebody_names_or_a_signature_shows_is_left_alone() {
        for library in [
            "pub fn used() {}",
            "pub struct A; impl A { pub fn used(&self) {} }",
            "pub fn used() -> Shown { Shown } pub struct Shown;",
            "pub struct A { pub a: Vec<Shown> } pub struct Shown;",
            "pub enum A { B(Shown) } pub struct Shown;",
            "pub struct A; impl Iterator for A { type Item = Shown; } pub struct Shown;",
            "fn hidden() {} pub(crate) fn inside() {}",
            "#[cfg(test)] mod tests { pub fn hidden() {} } #[cfg(test)] mod gone;",
        ] {
            let found = unused(library, "fn main() { println!(\"{}\", a::used(A)); }", &[]);
            assert_eq!(found, Vec::<String>::new(), "{library}");
        }
    }

    #[test]
    fn an_exception_without_need_is_seen() {
        let kept = Kept {
            package: "a",
            item: "A::alone",
            why: "for trying this",
        };
        let library = "pub struct A; impl A { pub fn alone(&self) {} }";
        assert_eq!(unused(library, "use a::A;", &[&kept]), Vec::<String>::new());
        let found = unused(library, "fn main() { A.alone(); }", &[&kept]);
        assert!(
            found[0].contains("an exception for `A::alone`"),
            "{found:?}"
        );
    }
}
