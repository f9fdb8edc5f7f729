//! What a sweep keeps of its runs: sums, extremes and the few seeds worth a look.
//!
//! A tally takes the same memory for a thousand runs as for a billion. Merging is
//! commutative and associative, so threads may share the work in any way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::detail::Detail;
use super::run::{Bounces, Clients, Commands, Hops, MODEL, RunReport, Verdict, Writes};
use super::sweep::{ChainLengths, SeedList, SeedSpan, SweepReport, Verdicts, WorstSeed};

/// Seeds that each list keeps.
const KEPT: usize = 10;

/// The sum of some runs of one scenario under one behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepTally {
    verdicts: Verdicts,
    flagged: Vec<SeedMark>,
    inconclusive: Vec<SeedMark>,
    worst: Vec<Ranked>,
    findings: BTreeMap<String, u64>,
    finding_seeds: BTreeMap<String, u64>,
    finding_first: BTreeMap<String, u64>,
    hops: Hops,
    bounces: Bounces,
    commands: Commands,
    clients: Clients,
    errors: BTreeMap<String, u64>,
    connections_opened: u64,
    writes: Writes,
    events: u64,
    /// Runs by their longest chain: none, 1, 2 and 3, 4 to 7 and so on.
    chains: Vec<u64>,
    #[serde(with = "hexadecimal")]
    digest: u128,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

/// A seed and the hash of its run's trace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedMark {
    /// The seed.
    pub seed: u64,
    /// The trace's hash.
    pub trace_hash: String,
}

/// A seed with the longest chain of its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// The longest chain.
    pub max_chain: u64,
    /// The seed and its trace.
    pub mark: SeedMark,
}

impl SweepTally {
    /// Takes in the report of the run with `seed`.
    pub fn add(&mut self, seed: u64, run: &RunReport) {
        let mark = || SeedMark {
            seed,
            trace_hash: run.trace_hash.clone(),
        };
        match run.verdict {
            Verdict::Clean => self.verdicts.clean += 1,
            Verdict::Flagged => {
                self.verdicts.flagged += 1;
                keep_lowest(&mut self.flagged, [mark()]);
            }
            Verdict::Inconclusive => {
                self.verdicts.inconclusive += 1;
                keep_lowest(&mut self.inconclusive, [mark()]);
            }
        }
        if run.hops.max_chain > 0 && self.ranks(seed, run.hops.max_chain) {
            let entry = Ranked {
                max_chain: run.hops.max_chain,
                mark: mark(),
            };
            keep_worst(&mut self.worst, [entry]);
        }
        add_counts(&mut self.findings, &run.findings_total);
        for check in run.found() {
            bump(&mut self.finding_seeds, check, 1);
            lower(&mut self.finding_first, check, seed);
        }
        self.add_sums(
            &run.hops,
            &run.bounces,
            &run.commands,
            &run.clients,
            &run.errors,
        );
        self.connections_opened += run.connections_opened;
        self.add_writes(&run.writes);
        self.events += run.events;
        add_places(&mut self.chains, [(place_of(run.hops.max_chain), 1)]);
        self.digest = self.digest.wrapping_add(fingerprint(seed, run));
    }

    /// Takes in what another tally holds. The two must have no seed in common.
    pub fn merge(&mut self, other: SweepTally) {
        self.verdicts.clean += other.verdicts.clean;
        self.verdicts.flagged += other.verdicts.flagged;
        self.verdicts.inconclusive += other.verdicts.inconclusive;
        keep_lowest(&mut self.flagged, other.flagged);
        keep_lowest(&mut self.inconclusive, other.inconclusive);
        keep_worst(&mut self.worst, other.worst);
        add_counts(&mut self.findings, &other.findings);
        add_counts(&mut self.finding_seeds, &other.finding_seeds);
        for (check, seed) in &other.finding_first {
            lower(&mut self.finding_first, check, *seed);
        }
        self.add_sums(
            &other.hops,
            &other.bounces,
            &other.commands,
            &other.clients,
            &other.errors,
        );
        self.connections_opened += other.connections_opened;
        self.add_writes(&other.writes);
        self.events += other.events;
        add_places(&mut self.chains, other.chains.into_iter().enumerate());
        self.digest = self.digest.wrapping_add(other.digest);
        match (&mut self.detail, other.detail) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (None, Some(theirs)) => self.detail = Some(theirs),
            (Some(_) | None, None) => {}
        }
    }

    /// Where more than sums is kept; it is there from now on. If it is kept of some runs, it has
    /// to be of all.
    pub fn detail_mut(&mut self) -> &mut Detail {
        self.detail.get_or_insert_default()
    }

    /// Whether more than sums is kept.
    pub fn has_detail(&self) -> bool {
        self.detail.is_some()
    }

    fn add_writes(&mut self, writes: &Writes) {
        self.writes.lost += writes.lost;
        self.writes.duplicated += writes.duplicated;
    }

    fn add_sums(
        &mut self,
        hops: &Hops,
        bounces: &Bounces,
        commands: &Commands,
        clients: &Clients,
        errors: &BTreeMap<String, u64>,
    ) {
        self.hops.total += hops.total;
        self.hops.max_chain = self.hops.max_chain.max(hops.max_chain);
        if self.hops.histogram.len() < hops.histogram.len() {
            self.hops.histogram.resize(hops.histogram.len(), 0);
        }
        for (sum, more) in self.hops.histogram.iter_mut().zip(&hops.histogram) {
            *sum += more;
        }
        self.bounces.total += bounces.total;
        self.bounces.max = self.bounces.max.max(bounces.max);
        self.commands.issued += commands.issued;
        self.commands.served += commands.served;
        self.commands.failed += commands.failed;
        self.commands.unfinished += commands.unfinished;
        self.clients.total += clients.total;
        self.clients.flagged += clients.flagged;
        add_counts(&mut self.errors, errors);
    }

    /// Whether a seed with this longest chain would be kept among the worst. Spares a copy of
    /// the trace's hash for most seeds of a long sweep.
    fn ranks(&self, seed: u64, max_chain: u64) -> bool {
        self.worst.len() < KEPT
            || self.worst.last().is_some_and(|last| {
                max_chain > last.max_chain || (max_chain == last.max_chain && seed < last.mark.seed)
            })
    }

    /// Runs by verdict.
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Events that happened.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The lowest flagged seeds.
    pub fn flagged(&self) -> &[SeedMark] {
        &self.flagged
    }

    /// The seeds with the longest chains.
    pub fn worst(&self) -> &[Ranked] {
        &self.worst
    }

    /// The report. `wall_ns` is the only thing in it that may differ between equal sweeps.
    pub fn report(&self, of: SweepOf<'_>, wall_ns: u64) -> SweepReport {
        let list = |count, marks: &[SeedMark]| SeedList {
            count,
            first: marks.iter().map(|mark| mark.seed.to_string()).collect(),
        };
        let done = self.verdicts.total();
        let per_second = |count: u64| {
            if wall_ns == 0 {
                return 0.0;
            }
            // To a tenth: more digits would be noise.
            (count as f64 * 1e10 / wall_ns as f64).round() / 10.0
        };
        SweepReport {
            schema: SweepReport::SCHEMA.to_owned(),
            scenario: of.scenario.to_owned(),
            scenario_path: of.scenario_path.to_owned(),
            scenario_hash: of.scenario_hash.to_owned(),
            behaviour: of.behaviour.to_owned(),
            model: MODEL.to_owned(),
            seeds: SeedSpan {
                from: of.seeds.start.to_string(),
                to: of.seeds.end.to_string(),
                done,
            },
            verdicts: self.verdicts.clone(),
            flagged_seeds: list(self.verdicts.flagged, &self.flagged),
            inconclusive_seeds: list(self.verdicts.inconclusive, &self.inconclusive),
            worst_seeds: self
                .worst
                .iter()
                .map(|ranked| WorstSeed {
                    seed: ranked.mark.seed.to_string(),
                    max_chain: ranked.max_chain,
                })
                .collect(),
            longest_chains: longest_chains(&self.chains),
            findings: self.findings.clone(),
            finding_seeds: self.finding_seeds.clone(),
            finding_first: self
                .finding_first
                .iter()
                .map(|(check, seed)| (check.clone(), seed.to_string()))
                .collect(),
            hops: self.hops.clone(),
            bounces: self.bounces.clone(),
            commands: self.commands.clone(),
            clients: self.clients.clone(),
            errors: self.errors.clone(),
            connections_opened: self.connections_opened,
            writes: self.writes.clone(),
            events: self.events,
            wall_ns,
            events_per_s: per_second(self.events),
            seeds_per_s: per_second(done),
            digest: format!("{:032x}", self.digest),
            detail: self.detail.as_ref().map(Detail::report),
        }
    }
}

/// What a sweep was over, for its report.
#[derive(Clone, Debug)]
pub struct SweepOf<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// The scenario's file.
    pub scenario_path: &'a str,
    /// The scenario's hash, in hexadecimal digits.
    pub scenario_hash: &'a str,
    /// The behaviour's name.
    pub behaviour: &'a str,
    /// The seeds.
    pub seeds: std::ops::Range<u64>,
}

/// What one run adds to the digest. A sum over runs does not depend on their order.
fn fingerprint(seed: u64, run: &RunReport) -> u128 {
    let mut bytes = Vec::with_capacity(48);
    bytes.extend_from_slice(&seed.to_le_bytes());
    bytes.push(match run.verdict {
        Verdict::Clean => 0,
        Verdict::Flagged => 1,
        Verdict::Inconclusive => 2,
    });
    bytes.extend_from_slice(run.trace_hash.as_bytes());
    xxh3_128(&bytes)
}

/// The place among chains of a chain of this length.
fn place_of(chain: u64) -> usize {
    chain.checked_ilog2().map_or(0, |log| log as usize + 1)
}

fn add_places(sums: &mut Vec<u64>, more: impl IntoIterator<Item = (usize, u64)>) {
    for (index, count) in more {
        if sums.len() <= index {
            sums.resize(index + 1, 0);
        }
        sums[index] += count;
    }
}

/// The places that have runs, with the lengths that they stand for.
fn longest_chains(chains: &[u64]) -> Vec<ChainLengths> {
    let lengths = |(index, seeds): (usize, &u64)| {
        let (from, to) = match index {
            0 => (0, 0),
            index => {
                let from = 1_u64 << (index - 1);
                (from, from + (from - 1))
            }
        };
        let seeds = *seeds;
        ChainLengths { from, to, seeds }
    };
    let all = chains.iter().enumerate().map(lengths);
    all.filter(|lengths| lengths.seeds > 0).collect()
}

fn keep_lowest(kept: &mut Vec<SeedMark>, more: impl IntoIterator<Item = SeedMark>) {
    kept.extend(more);
    kept.sort_unstable();
    kept.truncate(KEPT);
}

fn keep_worst(kept: &mut Vec<Ranked>, more: impl IntoIterator<Item = Ranked>) {
    kept.extend(more);
    kept.sort_unstable_by(|a, b| {
        let chain = b.max_chain.cmp(&a.max_chain);
        chain.then_with(|| a.mark.cmp(&b.mark))
    });
    kept.truncate(KEPT);
}

fn add_counts(sums: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (key, count) in more {
        bump(sums, key, *count);
    }
}

fn bump(sums: &mut BTreeMap<String, u64>, key: &str, count: u64) {
    if count == 0 {
        return;
    }
    match sums.get_mut(key) {
        Some(sum) => *sum += count,
        None => {
            sums.insert(key.to_owned(), count);
        }
    }
}

fn lower(lowest: &mut BTreeMap<String, u64>, key: &str, seed: u64) {
    match lowest.get_mut(key) {
        Some(known) => *known = (*known).min(seed),
        None => {
            lowest.insert(key.to_owned(), seed);
        }
    }
}

/// 128 bits as 32 hexadecimal digits: JSON has no such numbers.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{value:032x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16)
            .map_err(|_| D::Error::custom(format!("\"{text}\" is not a hexadecimal number")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(verdict: Verdict, chain: u64, trace: u64, findings: &[(&str, u64)]) -> RunReport {
        let counted = findings.iter().map(|(k, n)| ((*k).to_owned(), *n));
        let mut histogram = vec![3; 1 + (chain % 4) as usize];
        histogram[0] += chain;
        RunReport {
            schema: RunReport::SCHEMA.to_owned(),
            scenario: "s".to_owned(),
            scenario_hash: "0".repeat(32),
            behaviour: "8.0.1".to_owned(),
            model: MODEL.to_owned(),
            seed: String::new(),
            verdict,
            trace_hash: format!("{trace:032x}"),
            events: 10 + chain,
            virtual_ns: 5,
            clients: Clients {
                total: 4,
                flagged: chain % 2,
            },
            commands: Commands {
                issued: 9,
                served: 7,
                failed: 1,
                unfinished: 1,
            },
            hops: Hops {
                total: chain,
                max_chain: chain,
                histogram,
            },
            bounces: Bounces {
                total: chain / 2,
                max: chain / 2,
            },
            errors: BTreeMap::from([(format!("E{}", chain % 3), 1)]),
            connections_opened: 2,
            writes: Writes::default(),
            findings: Vec::new(),
            findings_total: counted.collect(),
        }
    }

    fn some_runs() -> impl Strategy<Value = Vec<(u64, RunReport)>> {
        let verdict = prop_oneof![
            Just(Verdict::Clean),
            Just(Verdict::Flagged),
            Just(Verdict::Inconclusive)
        ];
        let one = (verdict, 0u64..6, any::<u64>(), 0u64..3).prop_map(|(v, chain, trace, found)| {
            run(
                v,
                chain,
                trace,
                &[("bounce", found), ("lost-write", chain % 2)],
            )
        });
        prop::collection::btree_map(any::<u64>(), one, 0..60)
            .prop_map(|runs| runs.into_iter().collect())
    }

    fn tally<'a>(runs: impl IntoIterator<Item = &'a (u64, RunReport)>) -> SweepTally {
        let mut tally = SweepTally::default();
        for (seed, run) in runs {
            tally.add(*seed, run);
        }
        tally
    }

    proptest! {
        /// However the runs are dealt out and in whatever order parts are merged, the sum is
        /// the same.
        #[test]
        fn order_and_grouping_mean_nothing(
            runs in some_runs(), keys in prop::collection::vec(0usize..5, 60), turn in 0usize..5
        ) {
            let whole = tally(&runs);
            prop_assert_eq!(&tally(runs.iter().rev()), &whole);
            let part = |k| tally(runs.iter().zip(&keys).filter(|(_, key)| **key == k).map(|(r, _)| r));
            let mut parts: Vec<_> = (0..5).map(part).collect();
            parts.rotate_left(turn);
            let mut left = SweepTally::default();
            for part in parts.clone() {
                left.merge(part);
            }
            prop_assert_eq!(&left, &whole);
            let right = parts.into_iter().rev().fold(SweepTally::default(), |sum, mut part| {
                part.merge(sum);
                part
            });
            prop_assert_eq!(&right, &whole);
        }

        #[test]
        fn a_saved_tally_reads_back_equal(runs in some_runs()) {
            let whole = tally(&runs);
            let text = serde_json::to_string(&whole).expect("serializable");
            prop_assert_eq!(serde_json::from_str::<SweepTally>(&text).expect("readable"), whole);
        }

        #[test]
        fn any_difference_changes_the_digest(seed in any::<u64>(), trace in any::<u64>()) {
            let digest = |seed, verdict, trace| tally(&[(seed, run(verdict, 0, trace, &[]))]).digest;
            let plain = digest(seed, Verdict::Clean, trace);
            prop_assert_ne!(plain, digest(seed ^ 1, Verdict::Clean, trace));
            prop_assert_ne!(plain, digest(seed, Verdict::Flagged, trace));
            prop_assert_ne!(plain, digest(seed, Verdict::Clean, trace ^ 1));
        }
    }

    #[test]
    fn chains_of_like_length_are_counted_together() {
        let chains = [0, 1, 1, 2, 3, 4, 7, 8, 6_919, u64::MAX];
        let runs = chains.into_iter().zip(0..);
        let runs: Vec<_> = runs
            .map(|(chain, seed)| {
                let mut run = run(Verdict::Clean, 0, 0, &[]);
                run.hops.max_chain = chain;
                (seed, run)
            })
            .collect();
        let counted = longest_chains(&tally(&runs).chains);
        let counted: Vec<_> = counted.iter().map(|c| (c.from, c.to, c.seeds)).collect();
        let most = 1 << 63;
        assert_eq!(
            counted,
            [
                (0, 0, 1),
                (1, 1, 2),
                (2, 3, 2),
                (4, 7, 2),
                (8, 15, 1),
                (4_096, 8_191, 1),
                (most, u64::MAX, 1)
            ]
        );
    }

    #[test]
    fn memory_stays_bounded() {
        let runs: Vec<_> = (0..5_000)
            .map(|seed| (seed, run(Verdict::Flagged, seed, seed, &[("bounce", 1)])))
            .collect();
        let few = serde_json::to_string(&tally(&runs[..1_000])).expect("serializable");
        let many = serde_json::to_string(&tally(&runs)).expect("serializable");
        assert!(many.len() < few.len() + 100, "{} {}", few.len(), many.len());
    }

    #[test]
    fn the_worst_are_the_longest_then_the_lowest() {
        let runs: Vec<_> = [(5, 2), (1, 3), (9, 3), (2, 0), (7, 2)]
            .map(|(seed, chain)| (seed, run(Verdict::Flagged, chain, 0, &[])))
            .into();
        let seeds: Vec<_> = tally(&runs).worst.iter().map(|r| r.mark.seed).collect();
        assert_eq!(seeds, [1, 9, 5, 7]);
    }
}
