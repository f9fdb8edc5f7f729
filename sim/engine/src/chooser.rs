//! The one interface through which all randomness passes.
//!
//! The model asks *questions* on named *streams*; how they are answered is the chooser's mode.
//! In seeded mode each stream is a ChaCha8 stream of its own, keyed by the run's seed and
//! numbered by a hash of its name, so that one more question on one stream does not change the
//! answers on any other. In recorded mode a [`Schedule`] answers. A shrinking or an exhaustive mode
//! is another way to fill in a schedule.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// A stream that has been registered with [`Chooser::stream`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct StreamId(u32);

/// What may be answered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Does something with these odds happen? Answered by 0 (no) or 1; by default no.
    Chance(Odds),
    /// Which of this many, counted from zero? By default the first.
    Below(u64),
    /// Which quantile of a distribution, in 2⁻⁶⁴? By default the median.
    Quantile,
}

/// A probability, in 2⁻⁶⁴. An event happens if a draw is below it, so that raising a
/// probability only ever adds events.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Odds(u64);

impl Odds {
    /// Never.
    pub const NEVER: Odds = Odds(0);

    /// This many parts per million; a million or more is "always" up to one draw in 2⁶⁴.
    pub const fn per_million(parts: u32) -> Odds {
        if parts >= 1_000_000 {
            return Odds(u64::MAX);
        }
        Odds(((parts as u128) << 64).div_euclid(1_000_000) as u64)
    }

    /// The probability in 2⁻⁶⁴, for callers that compare more than one draw with it.
    #[inline]
    pub const fn raw(self) -> u64 {
        self.0
    }
}

impl Question {
    /// The answer that `raw`, uniform over all `u64`, gives.
    #[inline]
    fn answer(self, raw: u64) -> u64 {
        match self {
            Question::Chance(odds) => u64::from(raw < odds.0),
            Question::Below(n) => ((u128::from(raw) * u128::from(n)) >> 64) as u64,
            Question::Quantile => raw,
        }
    }

    /// The default answer: nothing happens, the first, the median.
    fn default(self) -> u64 {
        match self {
            Question::Chance(_) | Question::Below(_) => 0,
            Question::Quantile => 1 << 63,
        }
    }

    /// The nearest answer that fits the question: a schedule may come from another version of
    /// the scenario.
    fn admit(self, answer: u64) -> u64 {
        match self {
            Question::Chance(_) => answer.min(1),
            Question::Below(n) => answer.min(n.saturating_sub(1)),
            Question::Quantile => answer,
        }
    }
}

/// The answers of a run, per stream by name and in the order asked.
///
/// A schedule needs no random stream and so survives changes of the code: a missing answer is the
/// question's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Answers by stream name, as decimal strings (they are 64-bit).
    #[serde(with = "decimal_strings")]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub streams: BTreeMap<String, Vec<u64>>,
}

/// 64-bit answers as strings: a reader in JavaScript would lose digits of a number.
mod decimal_strings {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    type Streams = BTreeMap<String, Vec<u64>>;

    pub fn serialize<S: Serializer>(streams: &Streams, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            streams.iter().map(|(name, answers)| {
                (name, answers.iter().map(u64::to_string).collect::<Vec<_>>())
            }),
        )
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Streams, D::Error> {
        BTreeMap::<String, Vec<String>>::deserialize(from)?
            .into_iter()
            .map(|(name, answers)| {
                let parse = |text: String| {
                    text.parse().map_err(|_| {
                        D::Error::custom(format!(
                            "answer \"{text}\" of stream \"{name}\": expected a decimal number below 2^64"
                        ))
                    })
                };
                let answers = answers.into_iter().map(parse).collect::<Result<_, _>>()?;
                Ok((name, answers))
            })
            .collect()
    }
}

/// How questions are answered.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Seeded,
    /// Seeded, and every answer is kept.
    Recording(Schedule),
    /// By a schedule, with defaults where it says nothing.
    Recorded(Schedule),
}

/// Draws that a stream has ready.
const DRAWS: usize = 7;

/// What a stream answers next: a draw looks at this line of the cache and no other, and only
/// each seventh at the generator behind it.
#[derive(Clone)]
#[repr(align(64))]
struct Stream {
    /// The run (counted by [`Chooser::reset`]) to which the draws belong.
    run: u32,
    /// How many of them are used up.
    used: u32,
    draws: [u64; DRAWS],
}

/// Answers every random question of a run.
pub struct Chooser {
    key: [u8; 32],
    run: u32,
    mode: Mode,
    streams: Vec<Stream>,
    /// Opened at the first question in a run.
    generators: Vec<ChaCha8Rng>,
    /// Questions asked in this run; counted only where a schedule needs it.
    asked: Vec<usize>,
    names: Vec<String>,
}

impl Default for Chooser {
    fn default() -> Self {
        Chooser {
            key: [0; 32],
            run: 0,
            mode: Mode::Seeded,
            streams: Vec::new(),
            generators: Vec::new(),
            asked: Vec::new(),
            names: Vec::new(),
        }
    }
}

impl Chooser {
    /// Registers a stream. Registration order does not matter: only the name decides what the
    /// stream answers. The same name twice gives two handles on streams with equal answers, so
    /// callers keep names distinct.
    pub fn stream(&mut self, name: impl Into<String>) -> StreamId {
        let id = u32::try_from(self.names.len()).expect("fewer than 2^32 streams");
        self.names.push(name.into());
        self.streams.push(Stream {
            run: 0,
            used: DRAWS as u32,
            draws: [0; DRAWS],
        });
        self.generators.push(ChaCha8Rng::from_seed([0; 32]));
        self.asked.push(0);
        StreamId(id)
    }

    /// Starts a new run with `seed`; streams stay registered.
    pub fn reset(&mut self, seed: u64) {
        self.key = [0; 32];
        self.key[..8].copy_from_slice(&seed.to_le_bytes());
        self.key[8..24].copy_from_slice(b"rebound stream/1");
        self.run += 1;
        self.mode = Mode::Seeded;
    }

    /// From here to the next [`reset`](Self::reset), keeps every answer for
    /// [`take_schedule`](Self::take_schedule).
    pub fn record(&mut self) {
        self.mode = Mode::Recording(Schedule::default());
    }

    /// From here to the next [`reset`](Self::reset), lets `schedule` answer.
    pub fn follow(&mut self, schedule: Schedule) {
        self.mode = Mode::Recorded(schedule);
    }

    /// The answers kept since [`record`](Self::record); empty if nothing was recorded.
    pub fn take_schedule(&mut self) -> Schedule {
        match std::mem::take(&mut self.mode) {
            Mode::Recording(schedule) => schedule,
            Mode::Seeded | Mode::Recorded(_) => Schedule::default(),
        }
    }

    /// Answers `question` on `stream`. Every question takes one draw, whatever it is and
    /// whatever the mode.
    #[inline(always)]
    pub fn ask(&mut self, stream: StreamId, question: Question) -> u64 {
        let place = stream.0 as usize;
        let own = &self.streams[place];
        if own.run != self.run || own.used == DRAWS as u32 {
            self.refill(place);
        }
        let own = &mut self.streams[place];
        let raw = own.draws[own.used as usize];
        own.used += 1;
        match self.mode {
            Mode::Seeded => question.answer(raw),
            Mode::Recording(_) | Mode::Recorded(_) => self.ask_schedule(stream, question, raw),
        }
    }

    /// Whether something with these odds happens.
    #[inline]
    pub fn happens(&mut self, stream: StreamId, odds: Odds) -> bool {
        self.ask(stream, Question::Chance(odds)) == 1
    }

    /// One of `n`, counted from zero; zero if `n` is zero.
    #[inline]
    pub fn below(&mut self, stream: StreamId, n: u64) -> u64 {
        self.ask(stream, Question::Below(n))
    }

    /// A quantile, in 2⁻⁶⁴.
    #[inline]
    pub fn quantile(&mut self, stream: StreamId) -> u64 {
        self.ask(stream, Question::Quantile)
    }

    #[inline(never)]
    fn refill(&mut self, place: usize) {
        let generator = &mut self.generators[place];
        let stream = &mut self.streams[place];
        if stream.run != self.run {
            *generator = ChaCha8Rng::from_seed(self.key);
            generator.set_stream(xxh3_64(self.names[place].as_bytes()));
            stream.run = self.run;
            self.asked[place] = 0;
        }
        stream.draws = std::array::from_fn(|_| generator.next_u64());
        stream.used = 0;
    }

    #[cold]
    fn ask_schedule(&mut self, stream: StreamId, question: Question, raw: u64) -> u64 {
        let name = &self.names[stream.0 as usize];
        let asked = &mut self.asked[stream.0 as usize];
        let place = *asked;
        *asked += 1;
        match &mut self.mode {
            Mode::Seeded => question.answer(raw),
            Mode::Recording(schedule) => {
                let answer = question.answer(raw);
                if let Some(answers) = schedule.streams.get_mut(name) {
                    answers.push(answer);
                } else {
                    schedule.streams.insert(name.clone(), vec![answer]);
                }
                answer
            }
            Mode::Recorded(schedule) => schedule
                .streams
                .get(name)
                .and_then(|answers| answers.get(place))
                .map_or(question.default(), |answer| question.admit(*answer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seeded(seed: u64, names: &[&str]) -> (Chooser, Vec<StreamId>) {
        let mut chooser = Chooser::default();
        let streams = names.iter().map(|name| chooser.stream(*name)).collect();
        chooser.reset(seed);
        (chooser, streams)
    }

    /// Pinned: a change here changes every trace.
    #[test]
    fn streams_have_known_values() {
        let (mut chooser, streams) = seeded(42, &["net/a>b", "net/b>a"]);
        let first: Vec<u64> = (0..2).map(|_| chooser.quantile(streams[0])).collect();
        assert_eq!(first, [0xe936_20af_746f_063c, 0xf68b_2cbd_7608_8872]);
        assert_eq!(chooser.below(streams[1], 1_000), 267);
    }

    proptest! {
        /// More questions on one stream, at any places, leave every other stream's answers as
        /// they were, and registration order means nothing.
        #[test]
        fn streams_are_independent(
            seed in any::<u64>(), extra in prop::collection::vec(0usize..6, 0..40)
        ) {
            let (mut plain, p) = seeded(seed, &["a", "b"]);
            let (mut busy, b) = seeded(seed, &["c", "b", "a"]);
            let mut interruptions = extra.into_iter();
            for _ in 0..40 {
                for _ in 0..interruptions.next().unwrap_or(0) {
                    busy.quantile(b[0]);
                }
                prop_assert_eq!(plain.quantile(p[0]), busy.quantile(b[2]));
                prop_assert_eq!(plain.below(p[1], 10), busy.below(b[1], 10));
            }
        }

        #[test]
        fn a_recorded_run_is_answered_alike(seed in any::<u64>(), odds in 0u32..1_000_000) {
            let ask = |chooser: &mut Chooser, streams: &[StreamId]| -> Vec<u64> {
                (0..20).flat_map(|i| {
                    let stream = streams[i % streams.len()];
                    [
                        chooser.ask(stream, Question::Chance(Odds::per_million(odds))),
                        chooser.ask(stream, Question::Below(7)),
                        chooser.ask(stream, Question::Quantile),
                    ]
                }).collect()
            };
            let (mut chooser, streams) = seeded(seed, &["a", "b", "c"]);
            chooser.record();
            let seeded_answers = ask(&mut chooser, &streams);
            let schedule = chooser.take_schedule();
            let text = serde_json::to_string(&schedule).expect("serializable");
            chooser.reset(seed ^ 1);
            chooser.follow(serde_json::from_str(&text).expect("readable"));
            prop_assert_eq!(ask(&mut chooser, &streams), seeded_answers);
        }

        #[test]
        fn raising_odds_only_adds_events(seed in any::<u64>(), low in 0u32..500_000) {
            let (mut one, s) = seeded(seed, &["loss"]);
            let (mut other, t) = seeded(seed, &["loss"]);
            for _ in 0..100 {
                let rare = one.happens(s[0], Odds::per_million(low));
                let frequent = other.happens(t[0], Odds::per_million(low * 2));
                prop_assert!(frequent || !rare);
            }
        }
    }

    #[test]
    fn an_empty_schedule_answers_by_default() {
        let (mut chooser, streams) = seeded(1, &["a"]);
        chooser.follow(Schedule::default());
        assert!(!chooser.happens(streams[0], Odds::per_million(1_000_000)));
        assert_eq!(chooser.below(streams[0], 5), 0);
        assert_eq!(chooser.quantile(streams[0]), 1 << 63);
    }

    #[test]
    fn the_same_seed_again_gives_the_same_answers() {
        let (mut chooser, streams) = seeded(9, &["a"]);
        let first: Vec<u64> = (0..5).map(|_| chooser.quantile(streams[0])).collect();
        chooser.reset(10);
        assert_ne!(first[0], chooser.quantile(streams[0]));
        chooser.reset(9);
        let again: Vec<u64> = (0..5).map(|_| chooser.quantile(streams[0])).collect();
        assert_eq!(first, again);
    }
}
