//! What the application asks for next. Every command takes the same two draws, whatever it turns
//! out to be, so that changing one thing of a workload moves little else.

use super::commands::Body;
use super::note::WriteRange;
use super::spec::ClientSpec;
use super::workload::Mix;
use super::{ClientId, Context, Workload};
use crate::valkey::{Command, CommandKind, HashSlot, Script, WriteId};
use rebound_engine::Duration;
use strum::{EnumCount, VariantArray};

/// The commands of a mix.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumCount, VariantArray)]
pub(super) enum Kind {
    Get,
    Set,
    Incr,
    Del,
    MGet,
    Multi,
    BlPop,
    LPush,
    Subscribe,
    Publish,
    Ping,
    Eval,
    EvalSet,
}

impl Kind {
    const ALL: [Kind; Kind::COUNT] = *Kind::VARIANTS.first_chunk().unwrap();

    const fn share(self, mix: &Mix) -> u32 {
        match self {
            Kind::Get => mix.get,
            Kind::Set => mix.set,
            Kind::Incr => mix.incr,
            Kind::Del => mix.del,
            Kind::MGet => mix.mget,
            Kind::Multi => mix.multi,
            Kind::BlPop => mix.blpop,
            Kind::LPush => mix.lpush,
            Kind::Subscribe => mix.subscribe,
            Kind::Publish => mix.publish,
            Kind::Ping => mix.ping,
            Kind::Eval => mix.eval,
            Kind::EvalSet => mix.eval_set,
        }
    }
}

/// The commands that a mix has, ready to be drawn from.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    /// Each command with the sum of the shares up to and including its own.
    upto: Vec<(u64, Kind)>,
}

impl Shares {
    pub(super) fn of(mix: &Mix) -> Shares {
        let mut sum = 0;
        let upto = Kind::ALL.into_iter().filter_map(|kind| {
            let share = kind.share(mix);
            sum += u64::from(share);
            (share > 0).then_some((sum, kind))
        });
        Shares {
            upto: upto.collect(),
        }
    }

    /// The sum of all shares.
    #[inline]
    pub(super) fn total(&self) -> u64 {
        self.upto.last().map_or(0, |(sum, _)| *sum)
    }

    /// The command at place `drawn` below the sum.
    #[inline]
    fn at(&self, drawn: u64) -> Kind {
        let place = self.upto.iter().find(|(sum, _)| drawn < *sum);
        place.map_or(Kind::Ping, |(_, kind)| *kind)
    }
}

/// The first of `count` keys near `base + key` that commands of a cluster may name together: keys
/// with one tag. Elsewhere `free` is as good.
fn together(spec: &ClientSpec, base: u32, key: u32, count: u32, free: u32) -> u32 {
    match spec.keys_per_tag {
        None => free,
        Some(per_tag) => {
            let at = base.wrapping_add(key);
            let tag = at - at % per_tag;
            tag + (at - tag).min(per_tag.saturating_sub(count))
        }
    }
}

/// What a command is to be, and how long its worker pauses after it.
pub(super) struct Generated {
    pub kind: CommandKind,
    pub body: Body,
    /// The slot of its keys in a cluster.
    pub slot: Option<HashSlot>,
    pub writes: WriteRange,
    pub think: Duration,
}

/// The keys of one type: strings, counters and lists do not share any.
fn first_key(spec: &ClientSpec, client: ClientId, class: u32) -> u32 {
    let spaces = if spec.workload.own_keys {
        client.0 + 1
    } else {
        0
    };
    spaces
        .wrapping_mul(3)
        .wrapping_add(class)
        .wrapping_mul(spec.key_space)
}

pub(super) fn generate(spec: &ClientSpec, client: ClientId, ctx: &mut Context<'_>) -> Generated {
    let workload = &spec.workload;
    let stream = ctx.workload_stream;
    let think = spec.think.sample(ctx.chooser.quantile(stream));
    // One draw says both: its upper half what, its lower half on which key.
    let what = ctx.chooser.quantile(stream);
    let kind = spec.mix.at(below(what >> 32, spec.mix.total()));
    let key = below(what & u64::from(u32::MAX), u64::from(workload.keys)) as u32;

    let strings = first_key(spec, client, 0);
    let counters = first_key(spec, client, 1);
    let lists = first_key(spec, client, 2);
    let mut count = 0;
    let first = *ctx.next_write;
    let mut one = || {
        count = 1;
        first
    };
    let string = strings.wrapping_add(key);
    let (body, named) = match kind {
        Kind::Get => (Command::Get(string).into(), Some(string)),
        Kind::Set => (Command::Set(string, one()).into(), Some(string)),
        Kind::Incr => {
            let counter = counters.wrapping_add(key);
            (Command::Incr(counter, one()).into(), Some(counter))
        }
        Kind::Del => (Command::Del(string, one()).into(), Some(string)),
        Kind::MGet => {
            let count = u32::from(workload.mget_keys);
            let free = strings.wrapping_add(key.min(workload.keys.saturating_sub(count)));
            let from = together(spec, strings, key, count, free);
            let more = workload.mget_keys - 1;
            (Command::MGet(from, more).into(), Some(from))
        }
        Kind::BlPop => {
            let list = lists.wrapping_add(key);
            let pop = Command::BlPop {
                key: list,
                timeout_ms: (workload.blpop_timeout.as_nanos() / 1_000_000) as u32,
                write: one(),
            };
            (pop.into(), Some(list))
        }
        Kind::LPush => {
            let list = lists.wrapping_add(key);
            (Command::LPush(list, one()).into(), Some(list))
        }
        Kind::Subscribe => (Command::Subscribe(key).into(), None),
        Kind::Publish => (Command::Publish(key).into(), None),
        Kind::Ping => (Command::Ping.into(), None),
        Kind::Eval => (Command::Script(Script::Get, string).into(), Some(string)),
        Kind::EvalSet => {
            let set = Script::Set(one());
            (Command::Script(set, string).into(), Some(string))
        }
        Kind::Multi => {
            count = u16::from(workload.transaction_size.div_ceil(2));
            let size = u32::from(workload.transaction_size);
            let from = together(spec, strings, key, size, string);
            let body = Body::Transaction {
                keys: strings,
                at: from.wrapping_sub(strings),
                first,
            };
            (body, Some(from))
        }
    };
    let slot = match (named, spec.keys_per_tag) {
        (Some(key), Some(per_tag)) => Some(HashSlot::of_key(key, per_tag)),
        (Some(_) | None, _) => None,
    };
    ctx.next_write.0 += u32::from(count);
    let first = if count == 0 { WriteId::NONE } else { first };
    Generated {
        kind: body.kind(),
        body,
        slot,
        writes: WriteRange { first, count },
        think,
    }
}

/// The place below `n` at a quantile in 2⁻³².
#[inline]
fn below(quantile: u64, n: u64) -> u64 {
    ((u128::from(quantile) * u128::from(n)) >> 32) as u64
}

impl From<Command> for Body {
    fn from(command: Command) -> Body {
        Body::Single(command)
    }
}

impl Body {
    /// What is issued, as the trace names it.
    fn kind(self) -> CommandKind {
        match self {
            Body::Single(command) => command.kind(),
            Body::Transaction { .. } => CommandKind::Exec,
        }
    }
}

/// The command at place `index` inside a transaction: alternately SET and GET.
pub(super) fn inner_command(
    workload: &Workload,
    keys: u32,
    at: u32,
    first: WriteId,
    index: u8,
) -> Command {
    let key = keys.wrapping_add(at.wrapping_add(u32::from(index)) % workload.keys);
    if index.is_multiple_of(2) {
        Command::Set(key, WriteId(first.0 + u32::from(index) / 2))
    } else {
        Command::Get(key)
    }
}
