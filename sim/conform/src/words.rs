//! Commands as recordings have them, words joined by spaces, for the model.

use std::collections::BTreeMap;

use rebound_sim::scenario::parse_command;
use rebound_sim::valkey::{AddressBook, Command, Script, WriteId};

/// The texts of the model's scripts, their white space made spaces.
const GETS: &str = "return redis.call('GET',KEYS[1])";
const SETS: &str = "return redis.call('SET',KEYS[1],'x')";
const SHEBANG_SETS: &str = "#!lua return server.call('SET',KEYS[1],'x')";
const NO_WRITES_GETS: &str = "#!lua flags=no-writes return server.call('GET',KEYS[1])";

/// A command on one line.
pub(crate) fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ")
}

/// Reads commands, and numbers the keys, channels and writes in them.
pub struct Words {
    /// The servers' addresses, and what else commands name.
    pub addresses: AddressBook,
    names: BTreeMap<String, u32>,
    writes: u32,
}

impl Words {
    /// Of a recording with these servers.
    pub fn new(addresses: AddressBook) -> Words {
        Words {
            addresses,
            names: BTreeMap::new(),
            writes: 0,
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        let next = self.names.len() as u32;
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    /// A number for a write. What it writes is not kept: replies are compared by kind.
    fn write(&mut self) -> WriteId {
        self.writes += 1;
        WriteId(self.writes - 1)
    }

    /// One of the scripts that the model has.
    fn script(&mut self, name: &str, body: &str, text: &str) -> Result<Script, String> {
        match (name, body) {
            ("EVAL", GETS) => Ok(Script::Get),
            ("EVAL", SETS) => Ok(Script::Set(self.write())),
            ("EVAL", SHEBANG_SETS) => Ok(Script::ShebangSet(self.write())),
            ("EVAL", NO_WRITES_GETS) => Ok(Script::NoWritesGet),
            ("EVAL_RO", GETS) => Ok(Script::RoGet),
            (_, _) => Err(format!(
                "the model has no script like {}",
                on_one_line(text)
            )),
        }
    }

    /// Reads a command.
    ///
    /// # Errors
    /// Why the model cannot be asked it.
    pub fn command(&mut self, text: &str) -> Result<Command, String> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let Some((name, arguments)) = words.split_first() else {
            return Err("an empty command".to_owned());
        };
        let name = name.to_ascii_uppercase();
        Ok(match (name.as_str(), arguments) {
            ("GET", [key]) => Command::Get(self.number(key)),
            ("SET", [key, _]) => Command::Set(self.number(key), self.write()),
            ("INCR", [key]) => Command::Incr(self.number(key), self.write()),
            ("DEL", [key]) => Command::Del(self.number(key), self.write()),
            ("LPUSH", [key, _]) => Command::LPush(self.number(key), self.write()),
            ("BLPOP", [key, seconds]) => Command::BlPop {
                key: self.number(key),
                timeout_ms: milliseconds(seconds)?,
                write: self.write(),
            },
            ("RPUSH", [key, _]) => Command::RPush(self.number(key), self.write()),
            ("XREAD", ["BLOCK", ms, "STREAMS", key, "$"]) => Command::XReadBlock {
                key: self.number(key),
                timeout_ms: ms
                    .parse()
                    .map_err(|_| "a time-out that is not a number".to_owned())?,
            },
            ("XADD", [key, "*", _, _]) => Command::XAdd(self.number(key), self.write()),
            ("PFCOUNT", [key]) => Command::PfCount(self.number(key)),
            ("OBJECT", ["ENCODING", key]) => Command::ObjectEncoding(self.number(key)),
            ("PEXPIRE", [key, ms]) => {
                let ms = ms
                    .parse()
                    .map_err(|_| "a time that is not a number".to_owned())?;
                Command::PExpire(self.number(key), ms)
            }
            ("DBSIZE", []) => Command::DbSize,
            ("SCAN", ["0"]) => Command::Scan,
            ("KEYS", ["*"]) => Command::Keys,
            ("FLUSHALL", []) => Command::FlushAll(self.write()),
            ("WATCH", [key]) => Command::Watch(self.number(key)),
            ("EVAL" | "EVAL_RO", [body @ .., "1", key]) => {
                let script = self.script(&name, &body.join(" "), text)?;
                Command::Script(script, self.number(key))
            }
            ("SUBSCRIBE", [channel]) => Command::Subscribe(self.number(channel)),
            ("PUBLISH", [channel, _]) => Command::Publish(self.number(channel)),
            ("PSYNC", ["?", "-1", failover @ ..])
                if failover.is_empty() || *failover == ["FAILOVER"] =>
            {
                Command::Psync {
                    replid: None,
                    offset: 0.into(),
                    failover: !failover.is_empty(),
                    epoch: None,
                }
            }
            (_, _) => {
                let command = parse_command(text, &mut self.addresses);
                let command =
                    command.map_err(|_| format!("the model has no {}", on_one_line(text)))?;
                if command.key().is_some() {
                    // Its keys are names here, and numbers there.
                    return Err(format!("the model is not asked {}", on_one_line(text)));
                }
                command
            }
        })
    }
}

/// Seconds, with a fraction perhaps.
fn milliseconds(seconds: &str) -> Result<u32, String> {
    let seconds: Option<f64> = seconds.parse().ok();
    let valid = seconds.filter(|s| (0.0..=4_000_000.0).contains(s));
    let ms = valid.map(|s| (s * 1000.0).round() as u32);
    ms.ok_or_else(|| "a time-out that is not a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_sim::valkey::{Addr, CommandKind, ErrorKind};

    fn words() -> Words {
        let nodes = [7011, 7012].map(|port| ("127.0.0.1".to_owned(), port));
        Words::new(AddressBook::new(nodes))
    }

    #[test]
    fn keys_and_writes_are_numbered() {
        let mut words = words();
        let Ok(Command::Set(key, first)) = words.command("SET k:c0 12") else {
            panic!("a SET");
        };
        assert_eq!(words.command("GET k:c0"), Ok(Command::Get(key)));
        assert_ne!(words.command("GET other"), Ok(Command::Get(key)));
        let second = words.command("SET k:c0 13").map(|command| command.write());
        assert_ne!(second, Ok(Some(first)));
    }

    #[test]
    fn operators_commands_name_servers() {
        let mut words = words();
        assert_eq!(
            words.command("FAILOVER TO 127.0.0.1 7012 TIMEOUT 100 FORCE"),
            Ok(Command::Failover {
                to: Some(Addr(1)),
                force: true,
                timeout_ms: Some(100)
            })
        );
        assert_eq!(
            words.command("FAILOVER BOGUS"),
            Ok(Command::FailoverMalformed(ErrorKind::Syntax))
        );
        assert_eq!(words.command("BLPOP l 0.5").map(|c| c.key()), Ok(Some(0)));
        assert!(words.command("OBJECT FREQ k").is_err());
        let script = "EVAL #!lua\nreturn server.call('SET',KEYS[1],'x') 1 foo";
        let script = words.command(script).map(|command| command.kind());
        assert_eq!(script, Ok(CommandKind::EvalShebang));
        assert!(words.command("EVAL return 1 1 foo").is_err());
        assert!(words.command("").is_err());
    }
}
