//! Fields that may be a plain string or an object. Written by hand: serde's untagged enums
//! answer every mistake with "did not match any variant".

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::policy;
use crate::client::Policy;
use crate::valkey::{BEHAVIOURS, Config, Remedy};
use rebound_engine::Duration;

/// A distribution of delays: a duration, or an object that names a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Constant(Duration),
    /// Another shape.
    Shape(Shape),
}

/// A shape of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// Every duration from `low` to `high`, equally likely.
    Uniform {
        /// The shortest.
        low: Duration,
        /// The longest.
        high: Duration,
    },
    /// Log-normal: most are near the median, a few far above.
    LogNormal {
        /// Half of them are shorter.
        median: Duration,
        /// One in a hundred is longer.
        p99: Duration,
    },
    /// Measured: points, interpolated linearly.
    Empirical(Vec<Quantile>),
}

/// A point of a measured distribution.
#[derive(Copy, Clone, Debug, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a point, which is an object with `ppm` and `is`"
)]
pub struct Quantile {
    /// This many parts per million …
    pub ppm: u32,
    /// … are no longer than this.
    pub is: Duration,
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Latency;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"150us\", or an object with one of \"uniform\", \"log_normal\", \"empirical\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Latency, E> {
                Duration::parse(text)
                    .map(Latency::Constant)
                    .map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Latency, A::Error> {
                Shape::deserialize(MapAccessDeserializer::new(map)).map(Latency::Shape)
            }
        }
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for Latency {
    fn schema_name() -> Cow<'static, str> {
        "Latency".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A distribution of delays: a duration, or a shape.",
            "anyOf": [generator.subschema_for::<Duration>(), generator.subschema_for::<Shape>()]
        })
    }
}

/// When clients begin: a time, or an interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The earliest.
    pub from: Duration,
    /// The latest.
    pub to: Duration,
}

/// An interval.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `from` and `to`")]
struct Interval {
    /// The earliest.
    from: Duration,
    /// The latest.
    to: Duration,
}

impl<'de> Deserialize<'de> for Arrival {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Arrival;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"100ms\", or an object with \"from\" and \"to\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Arrival, E> {
                let at = Duration::parse(text).map_err(E::custom)?;
                Ok(Arrival { from: at, to: at })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Arrival, A::Error> {
                let Interval { from, to } = Interval::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Arrival { from, to })
            }
        }
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for Arrival {
    fn schema_name() -> Cow<'static, str> {
        "Arrival".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time, or an interval from which each client draws its own.",
            "anyOf": [generator.subschema_for::<Duration>(), generator.subschema_for::<Interval>()]
        })
    }
}

/// Where clients start: a node, or several that they take in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// All at one node.
    One(String),
    /// Client `i` at node `i` modulo their number.
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Start;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node's name, or a list of nodes' names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Start, E> {
                Ok(Start::One(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Start, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Start::Several(names))
            }
        }
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for Start {
    fn schema_name() -> Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A node's name, or a list of names that is used in turn.",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1}
            ]
        })
    }
}

/// A client library: a preset, and what differs from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChoice {
    /// The preset's name.
    pub preset: String,
    /// Fields of [`Policy`] that take the place of the preset's.
    pub overrides: Map<String, Value>,
}

impl<'de> Deserialize<'de> for PolicyChoice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = PolicyChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy's name such as \"valkey-go\", or an object with \"preset\" and what differs from it")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<PolicyChoice, E> {
                Ok(PolicyChoice {
                    preset: name.to_owned(),
                    overrides: Map::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PolicyChoice, A::Error> {
                let mut preset: Option<String> = None;
                let mut overrides = Map::new();
                while let Some(key) = map.next_key::<String>()? {
                    let again = if key == "preset" {
                        preset.replace(map.next_value()?).is_some()
                    } else {
                        overrides.insert(key.clone(), map.next_value()?).is_some()
                    };
                    if again {
                        return Err(de::Error::custom(format!("duplicate field `{key}`")));
                    }
                }
                let preset = preset.ok_or_else(|| de::Error::missing_field("preset"))?;
                Ok(PolicyChoice { preset, overrides })
            }
        }
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for PolicyChoice {
    fn schema_name() -> Cow<'static, str> {
        "PolicyChoice".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = policy::preset_names();
        let mut object = Policy::json_schema(generator);
        object.insert("required".to_owned(), serde_json::json!(["preset"]));
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            let preset = serde_json::json!({
                "description": "The preset that the other fields change.",
                "enum": &names
            });
            properties.insert("preset".to_owned(), preset);
        }
        json_schema!({
            "description": "A client library: a preset's name, or a preset with changes.",
            "anyOf": [{"enum": names}, object]
        })
    }
}

/// Changes to a server's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigOverrides(pub Map<String, Value>);

impl<'de> Deserialize<'de> for ConfigOverrides {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = ConfigOverrides;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with names of valkey.conf, such as {\"hz\": 10}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ConfigOverrides, A::Error> {
                let mut fields = Map::new();
                while let Some(key) = map.next_key::<String>()? {
                    if fields.insert(key.clone(), map.next_value()?).is_some() {
                        return Err(de::Error::custom(format!("duplicate field `{key}`")));
                    }
                }
                Ok(ConfigOverrides(fields))
            }
        }
        from.deserialize_map(Reader)
    }
}

impl JsonSchema for ConfigOverrides {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ConfigOverrides".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Config>()
    }
}

/// A behaviour's name or alias.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct BehaviourName(pub String);

impl JsonSchema for BehaviourName {
    fn schema_name() -> Cow<'static, str> {
        "Behaviour".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = BEHAVIOURS
            .iter()
            .flat_map(|b| [b.name].into_iter().chain(b.aliases.iter().copied()))
            .collect();
        // Which remedies go together is checked when the name is read.
        let pattern = |names: &[&str]| names.join("|").replace('.', "\\.").replace('+', "\\+");
        let remedies = Remedy::ALL.map(Remedy::name);
        let combination = format!("^({})(\\+({}))+$", pattern(&names), pattern(&remedies));
        json_schema!({
            "description": "A server's version, or a version with remedies joined by + (see `rebound behaviours`).",
            "anyOf": [
                {"enum": names},
                {"type": "string", "pattern": combination}
            ]
        })
    }
}
