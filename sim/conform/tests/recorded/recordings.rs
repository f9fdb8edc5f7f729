//! The project's recordings of standalone servers, and what the model makes of them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rebound_conform::recording::Line;
use rebound_conform::{Agreement, against_model, parse};
use rebound_sim::valkey::Behaviour;

/// A recording.
pub struct Recorded {
    /// What its version is called.
    pub label: String,
    /// Its script, such as `S2-hold`.
    pub script: String,
    path: PathBuf,
    lines: Vec<Line>,
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = listing
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    let name = path.file_stem().expect("a name");
    name.to_string_lossy().into_owned()
}

/// All of standalone servers, by version and script.
pub fn all() -> &'static [Recorded] {
    static ALL: OnceLock<Vec<Recorded>> = OnceLock::new();
    ALL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
        let mut all = Vec::new();
        for label in sorted(&folder).into_iter().filter(|path| path.is_dir()) {
            for path in sorted(&label) {
                let label = label.file_name().expect("a name").to_string_lossy();
                let (script, _run) = (name(&path).rsplit_once('-'))
                    .map(|(script, run)| (script.to_owned(), run.to_owned()))
                    .unwrap_or_else(|| panic!("{}: not SCRIPT-RUN", path.display()));
                if script.starts_with("S7") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a recording that can be read");
                let lines = parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                all.push(Recorded {
                    label: label.into_owned(),
                    script,
                    path,
                    lines,
                });
            }
        }
        all
    })
}

/// The recordings of a script by a version.
pub fn of(label: &str, script: &str) -> Vec<&'static Recorded> {
    let wanted = |r: &&Recorded| r.label == label && r.script == script;
    all().iter().filter(wanted).collect()
}

/// Holds one against the model.
pub fn compare(recorded: &Recorded, behaviour: &'static Behaviour) -> Agreement {
    against_model(&recorded.lines, behaviour)
        .unwrap_or_else(|e| panic!("{}: {e}", recorded.path.display()))
}

/// What the model of each one's own version makes of it, in their order.
pub fn agreements() -> &'static [Agreement] {
    static AGREEMENTS: OnceLock<Vec<Agreement>> = OnceLock::new();
    AGREEMENTS.get_or_init(|| {
        let all = all();
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut done: Vec<(usize, Agreement)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut done = Vec::new();
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            let Some(recorded) = all.get(index) else {
                                return done;
                            };
                            let behaviour = Behaviour::of_server(&recorded.label)
                                .unwrap_or_else(|| panic!("no behaviour for {}", recorded.label));
                            done.push((index, compare(recorded, behaviour)));
                        }
                    })
                })
                .collect();
            let joined = workers
                .into_iter()
                .map(|worker| worker.join().expect("a comparison"));
            joined.flatten().collect()
        });
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, agreement)| agreement).collect()
    })
}
