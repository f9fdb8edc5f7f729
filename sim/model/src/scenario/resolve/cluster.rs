//! Cluster mode: who serves which slot at the start, and what such a scenario may not contain.

use super::{Problem, Result, check};
use crate::scenario::format::{Item, Scenario};
use crate::scenario::nearest::quoted;
use crate::scenario::plan::{ClusterPlan, NodePlan};
use crate::valkey::{HASH_SLOTS, HashSlot};

/// Keys that share a hash tag at most.
const MOST_PER_TAG: u64 = 1_000_000;

/// First and last slot of a range.
type Range = (HashSlot, HashSlot);

/// The cluster, if the scenario has one.
pub fn cluster(scenario: &Scenario, nodes: &[NodePlan]) -> Result<Option<ClusterPlan>> {
    let Some(written) = &scenario.cluster else {
        let with_slots = scenario.nodes.iter().position(|node| node.slots.is_some());
        return match with_slots {
            None => Ok(None),
            Some(index) => Err(Problem::new(
                format!("nodes[{index}].slots"),
                "standalone servers have no slots: expected \"cluster\": {} next to \"nodes\"",
            )),
        };
    };
    let keys_per_tag = written.keys_per_tag.unwrap_or(1);
    check::between("cluster.keys_per_tag", keys_per_tag.into(), 1, MOST_PER_TAG)?;
    no_chains(nodes)?;
    let said = scenario.nodes.iter().any(|node| node.slots.is_some());
    let slots = if said {
        written_slots(scenario, nodes)?
    } else {
        even_slots(nodes)
    };
    let free = first_free(&slots);
    if let (Some((first, last)), false) = (free, written.uncovered) {
        return Err(Problem::new(
            "nodes",
            format!(
                "no node owns {}: expected it in some primary's \"slots\", or \"uncovered\": true in \"cluster\"",
                in_words(first, last)
            ),
        ));
    }
    Ok(Some(ClusterPlan {
        slots,
        keys_per_tag,
    }))
}

/// A node of a cluster replicates a primary, never another replica
/// (8.0.1, `clusterCommandSpecial`, cluster_legacy.c: `CLUSTER REPLICATE`).
fn no_chains(nodes: &[NodePlan]) -> Result<()> {
    for (index, node) in nodes.iter().enumerate() {
        let above = node.replica_of.and_then(|id| nodes.get(usize::from(id.0)));
        if let Some(above) = above.filter(|above| above.replica_of.is_some()) {
            return Err(Problem::new(
                format!("nodes[{index}].replica_of"),
                format!(
                    "\"{}\" is a replica itself: in a cluster, expected a primary",
                    above.name
                ),
            ));
        }
    }
    Ok(())
}

/// Slots as `valkey-cli --cluster create` shares them out: as evenly as whole numbers allow, in
/// the order of the nodes (8.0.1, valkey-cli.c, `clusterManagerCommandCreate`).
fn even_slots(nodes: &[NodePlan]) -> Vec<Vec<Range>> {
    let primaries = nodes.iter().filter(|node| node.replica_of.is_none());
    let count = primaries.count() as u32;
    let mut nth = 0;
    let mut first = 0;
    let share = |node: &NodePlan| {
        if node.replica_of.is_some() {
            return Vec::new();
        }
        nth += 1;
        // 16384 · nth / count, rounded half up, is where the next one's begin.
        let next = (2 * nth * u32::from(HASH_SLOTS) + count) / (2 * count);
        let range = (HashSlot(first), HashSlot(next as u16 - 1));
        first = next as u16;
        vec![range]
    };
    nodes.iter().map(share).collect()
}

fn written_slots(scenario: &Scenario, nodes: &[NodePlan]) -> Result<Vec<Vec<Range>>> {
    let mut owners: Vec<Option<&str>> = vec![None; usize::from(HASH_SLOTS)];
    let mut all = Vec::with_capacity(nodes.len());
    for (index, node) in scenario.nodes.iter().enumerate() {
        let path = format!("nodes[{index}].slots");
        if node.slots.is_some() && node.replica_of.is_some() {
            return Err(Problem::new(
                path,
                "a replica has no slots of its own: expected them at its primary",
            ));
        }
        let mut ranges = Vec::new();
        for (nth, text) in node.slots.iter().flatten().enumerate() {
            let path = format!("{path}[{nth}]");
            let (first, last) = range(&path, text)?;
            for slot in first.0..=last.0 {
                if let Some(other) = owners[usize::from(slot)] {
                    return Err(Problem::new(
                        path,
                        format!("slot {slot} is already \"{other}\"'s: expected it once"),
                    ));
                }
                owners[usize::from(slot)] = Some(&node.name);
            }
            ranges.push((first, last));
        }
        ranges.sort();
        all.push(ranges);
    }
    Ok(all)
}

/// `7000`, or `0-5460`.
fn range(path: &str, text: &str) -> Result<Range> {
    let slot = |word: &str| {
        let number = word.parse::<u16>().ok()?;
        (number < HASH_SLOTS && number.to_string() == word).then_some(HashSlot(number))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (slot(first), slot(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        (Some(_) | None, Some(_) | None) => Err(Problem::new(
            path,
            format!(
                "slots {}: expected a slot such as \"7000\" or a range such as \"0-5460\", from 0 to {}",
                quoted(text),
                HASH_SLOTS - 1
            ),
        )),
    }
}

/// The first range of slots that nobody has.
fn first_free(slots: &[Vec<Range>]) -> Option<(u16, u16)> {
    let mut taken: Vec<Range> = slots.iter().flatten().copied().collect();
    taken.sort();
    let mut next = 0;
    for (first, last) in taken {
        if first.0 > next {
            return Some((next, first.0 - 1));
        }
        next = last.0 + 1;
    }
    (next < HASH_SLOTS).then_some((next, HASH_SLOTS - 1))
}

fn in_words(first: u16, last: u16) -> String {
    if first == last {
        format!("slot {first}")
    } else {
        format!("slots {first} to {last}")
    }
}

/// What a cluster's timeline waits for: it has no `FAILOVER`, so nothing of one ever happens.
pub(crate) fn check_triggers(timeline: &[Item]) -> Result<()> {
    for (index, item) in timeline.iter().enumerate() {
        let Some(when) = &item.when else { continue };
        for (field, given) in [
            ("failover_state", when.failover_state.is_some()),
            ("sends", when.sends.is_some()),
            ("receives", when.receives.is_some()),
        ] {
            if given {
                return Err(Problem::new(
                    format!("timeline[{index}].when.{field}"),
                    "a cluster has no FAILOVER, so this never happens: expected \"becomes\", or \"at\" a time",
                ));
            }
        }
    }
    Ok(())
}
