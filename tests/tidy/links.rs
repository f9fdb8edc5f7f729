//! What documentation points at is there: files, headings, and the places that the pages about the
//! code name.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::complaint::{Complaint, assert_none};
use crate::repository::{Source, root, sources};

/// Parts of pages that are written elsewhere than where they are read: the file, and the folder
/// from which its links count.
const PARTS: &[(&str, &str)] = &[("fidelity/head.md", "docs")];

/// The pages whose code spans name places in this repository, and nothing in anybody else's.
const ABOUT_THE_CODE: &[&str] = &[
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/determinism.md",
];

/// How a place in this repository begins.
const FOLDERS: &[&str] = &[
    ".ci/",
    "docs/",
    "reports/",
    "scenarios/",
    "sim/",
    "src/",
    "tests/",
];

/// Places that are there only after something has run, or only if there is need of them.
const MADE: &[&str] = &["reports/out/", "scenarios/regressions.json"];

#[test]
fn links_lead_somewhere() {
    assert_none(links(&sources("md"), &on_disk));
}

#[test]
fn places_in_the_code_exist() {
    assert_none(places(&sources("md"), &on_disk));
}

fn on_disk(path: &str) -> bool {
    root().join(path).exists()
}

/// Relative links to files that do not exist, or to headings that their page does not have.
fn links(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Complaint> {
    let pages: BTreeMap<&str, Page> = sources
        .iter()
        .map(|source| (source.path.as_str(), Page::read(&source.text)))
        .collect();
    let mut complaints = Vec::new();
    for (path, page) in &pages {
        let part = PARTS.iter().find(|(part, _)| path.ends_with(part));
        let folder = match part {
            Some((_, folder)) => folder,
            None => path.rsplit_once('/').map_or("", |(folder, _)| folder),
        };
        for (line, link) in &page.links {
            if is_address(link) {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                Some((*path).to_owned())
            } else {
                joined(folder, file)
            };
            let known = target.as_deref().filter(|target| exists(target));
            let Some(target) = known else {
                let expected = "a path from this file to one in the repository";
                complaints.push(Complaint::new(*path, *line, format!("`{link}`"), expected));
                continue;
            };
            // A part is headed by the page it becomes part of.
            if let Some(page) = pages.get(target).filter(|_| part.is_none())
                && !heading.is_empty()
                && !page.anchors.contains(heading)
            {
                let expected = format!("the anchor of a heading of {target}");
                complaints.push(Complaint::new(*path, *line, format!("`{link}`"), expected));
            }
        }
    }
    complaints
}

/// Code spans of the pages about the code that look like a path in the repository and are none.
fn places(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let about = |source: &&Source| ABOUT_THE_CODE.contains(&source.path.as_str());
    for source in sources.iter().filter(about) {
        for (line, code) in Page::read(&source.text).code {
            let place = code.split_whitespace().next().unwrap_or_default();
            let ours = FOLDERS.iter().any(|folder| place.starts_with(folder));
            let pattern = place.contains(['*', '…']) || has_placeholder(place);
            if ours && !pattern && !MADE.contains(&place) && !exists(place) {
                let expected = "a path of the repository";
                complaints.push(Complaint::new(
                    &source.path,
                    line,
                    format!("`{place}`"),
                    expected,
                ));
            }
        }
    }
    complaints
}

/// Whether a part of the path stands for any name: `sim/model/src/check/NAME.rs`.
fn has_placeholder(place: &str) -> bool {
    let parts = place.split(['/', '.']);
    let mut names = parts.filter(|part| part.len() > 1 && *part != "README");
    names.any(|part| part.chars().all(|character| character.is_ascii_uppercase()))
}

/// Whether a link leads out of the repository.
fn is_address(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

/// The path of `file` as seen from `folder`; none if it leaves the repository.
fn joined(folder: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// What of a page is looked at, with lines.
#[derive(Debug, Default)]
struct Page {
    links: Vec<(usize, String)>,
    code: Vec<(usize, String)>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn read(text: &str) -> Page {
        let mut page = Page::default();
        let mut times = BTreeMap::new();
        let mut heading: Option<String> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        // A reference without a definition is a link that dangles, not text in brackets; but
        // brackets are also just brackets, so only `[text][label]` counts.
        let mut broken = |link: pulldown_cmark::BrokenLink<'_>| {
            let named = matches!(link.link_type, LinkType::Reference);
            named.then(|| (link.reference.to_string().into(), "".into()))
        };
        let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut broken));
        for (event, range) in parser.into_offset_iter() {
            let line = 1 + text[..range.start].matches('\n').count();
            if let Some(heading) = &mut heading
                && let Event::Text(text) | Event::Code(text) = &event
            {
                heading.push_str(text);
            }
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let time = times.entry(anchor.clone()).or_insert(0);
                    page.anchors.insert(match *time {
                        0 => anchor,
                        time => format!("{anchor}-{time}"),
                    });
                    *time += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line, dest_url.to_string()));
                }
                Event::Code(code) => page.code.push((line, code.to_string())),
                Event::Html(html) | Event::InlineHtml(html) => {
                    let ids = html.split("id=\"").skip(1);
                    let ids = ids.filter_map(|rest| rest.split('"').next());
                    page.anchors.extend(ids.map(str::to_owned));
                }
                _ => {}
            }
        }
        page
    }
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    let lower = heading.to_lowercase();
    lower
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

mod tests {
    use super::*;

    fn exists(path: &str) -> bool {
        ["docs/a.md", "docs/b.md", "README.md", "src/main.rs", "docs"].contains(&path)
    }

    fn found(text: &str) -> Vec<String> {
        let pages = [
            Source::sample("docs/a.md", text),
            Source::sample(
                "docs/b.md",
                "# Why `it` is so\n## Twice\n## Twice\n<a id=\"x\"></a>",
            ),
            Source::sample("README.md", "# Read me"),
        ];
        let complaints = links(&pages, &exists);
        complaints.iter().map(Complaint::to_string).collect()
    }

    #[test]
    fn a_dangling_link_is_seen() {
        for text in [
            "[x](c.md)",
            "[x](../a.md)",
            "[x](../../README.md)",
            "[x](b.md#why)",
            "[x](b.md#twice-2)",
            "[x](#nowhere)",
            "![x](c.svg)",
            "| a |\n|---|\n| [x](c.md) |",
            "[x]: c.md\n\n[x]",
            "[x][undefined]",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        let complaint = &found("# A\n\nand [x](c.md)")[0];
        assert!(
            complaint.starts_with("docs/a.md:3: found `c.md`"),
            "{complaint}"
        );
    }

    #[test]
    fn links_that_lead_somewhere_are_left_alone() {
        let text = "# Here\n[x](b.md#why-it-is-so) [x](b.md#twice-1) [x](b.md#x) [x](#here) \
                    [x](../README.md) [x](../src/main.rs#L3) [x](https://a.b/c.md) [x] \
                    [x](.) `[x](c.md)`\n\n```\n[x](c.md)\n```";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn a_place_that_is_gone_is_seen() {
        let places = |text: &str| places(&[Source::sample("CONTRIBUTING.md", text)], &exists);
        let found = places("`src/main.rs`, `src/gone.rs --all`, `src/NAME.rs`, `docs/*.md`, `a/b`");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].found, "`src/gone.rs`");
    }
}
