//! A real server's reply as the model's, and both as text.

use serde_json::Value as Json;

use rebound_sim::valkey::{
    Addr, Belief, CommandKind, Elements, ErrorKind, LinkState, Redirect, RedirectKind, Reply, Role,
    WriteId,
};

/// A reply of RESP2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resp {
    /// `+…`
    Simple(String),
    /// `-…`, without the minus.
    Error(String),
    /// `:…`
    Int(i64),
    /// `$…`
    Bulk(Vec<u8>),
    /// `$-1` or `*-1`
    Nil,
    /// `*…`
    Array(Vec<Resp>),
}

impl Resp {
    /// The reply as recordings have it.
    pub fn json(&self) -> Json {
        match self {
            Resp::Simple(text) => Json::String(format!("+{text}")),
            Resp::Error(text) => Json::String(format!("-{text}")),
            Resp::Int(number) => Json::String(format!(":{number}")),
            Resp::Bulk(bytes) => Json::String(format!("${}", String::from_utf8_lossy(bytes))),
            Resp::Nil => Json::String("$-1".to_owned()),
            Resp::Array(items) => Json::Array(items.iter().map(Resp::json).collect()),
        }
    }

    /// A string's text, whichever way it is sent.
    pub fn text(&self) -> Option<String> {
        match self {
            Resp::Simple(text) => Some(text.clone()),
            Resp::Bulk(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Resp::Error(_) | Resp::Int(_) | Resp::Nil | Resp::Array(_) => None,
        }
    }
}

/// A reply that the model has none for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownReply(pub String);

/// The model's reply for a real one to a command. `address` finds the plan's address for a host
/// and a port; `belief` is what the node was last seen to be, which no reply but a redirect shows.
///
/// # Errors
/// If the model has no such reply.
pub fn answer(
    command: CommandKind,
    reply: &Resp,
    belief: Belief,
    address: impl Fn(&str, u16) -> Option<Addr>,
) -> Result<Reply, UnknownReply> {
    let unknown = || UnknownReply(reply.json().to_string());
    match reply {
        Resp::Simple(text) => match text.as_str() {
            "PONG" => Ok(Reply::Pong),
            "QUEUED" => Ok(Reply::Queued),
            "OK" => Ok(Reply::Ok),
            "RESET" => Ok(Reply::Reset),
            // `REPLICAOF` of the primary that it has: the model says no more than this.
            "OK Already connected to specified master" => Ok(Reply::Ok),
            _ => Err(unknown()),
        },
        Resp::Error(text) => match text.strip_prefix("REDIRECT ") {
            Some(to) => {
                let (host, port) = to.rsplit_once(':').ok_or_else(unknown)?;
                let port = port.parse().map_err(|_| unknown())?;
                let to = address(host, port).ok_or_else(unknown)?;
                let redirect = Redirect::new(RedirectKind::Redirect, to, belief);
                Ok(Reply::Redirect(redirect))
            }
            None => error_of(text).map(Reply::Error).ok_or_else(unknown),
        },
        Resp::Int(number) => u32::try_from(*number)
            .map(Reply::Int)
            .map_err(|_| unknown()),
        Resp::Nil => Ok(Reply::Nil),
        Resp::Bulk(bytes) if command == CommandKind::Info => {
            Ok(of_info(&String::from_utf8_lossy(bytes), belief, address))
        }
        Resp::Bulk(bytes) => Ok(Reply::Value(write_of(bytes))),
        Resp::Array(items) => array(command, items, belief, address).ok_or_else(unknown),
    }
}

/// The write whose value this is: [`rebound_sim::scenario::request::value`] the other way round.
fn write_of(bytes: &[u8]) -> WriteId {
    let number = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok());
    number.map_or(WriteId::NONE, WriteId)
}

fn array(
    command: CommandKind,
    items: &[Resp],
    belief: Belief,
    address: impl Fn(&str, u16) -> Option<Addr>,
) -> Option<Reply> {
    let count = u16::try_from(items.len()).ok()?;
    if command == CommandKind::MGet {
        return Some(Reply::Elements(Elements { first: 0, count }));
    }
    let word = items.first().and_then(Resp::text);
    match (command, word.as_deref()) {
        (CommandKind::Subscribe, Some("subscribe")) => Some(Reply::Subscribed),
        (_, Some("message")) if items.len() == 3 => Some(Reply::Published),
        (CommandKind::Role, Some("master")) => Some(Reply::Info {
            belief: Belief {
                role: Role::Primary,
                link: LinkState::None,
                ..belief
            },
            primary: None,
            offset: 0.into(),
        }),
        (CommandKind::Role, Some("slave")) => {
            let (Some(host), Some(Resp::Int(port))) = (items.get(1)?.text(), items.get(2)) else {
                return None;
            };
            let link = match items.get(3)?.text()?.as_str() {
                "connected" => LinkState::Up,
                "sync" => LinkState::Sync,
                _ => LinkState::Down,
            };
            Some(Reply::Info {
                belief: Belief {
                    role: Role::Replica,
                    link,
                    ..belief
                },
                primary: address(&host, u16::try_from(*port).ok()?),
                offset: 0.into(),
            })
        }
        _ => Some(Reply::Array(count)),
    }
}

fn of_info(text: &str, belief: Belief, address: impl Fn(&str, u16) -> Option<Addr>) -> Reply {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
    };
    let port = field("master_port").and_then(|port| port.parse().ok());
    let primary = field("master_host").zip(port);
    Reply::Info {
        belief,
        primary: primary.and_then(|(host, port)| address(host, port)),
        offset: 0.into(),
    }
}

/// The model's error with this text; a text that ends with a number, a name or a place that the
/// model leaves out is found by its beginning. Forks of the server say `Redis` where it says
/// `Valkey`.
fn error_of(text: &str) -> Option<ErrorKind> {
    let said = format!("-{}", text.replace("Redis is loading", "Valkey is loading"));
    let mut best: Option<ErrorKind> = None;
    for &kind in ErrorKind::ALL {
        let longer = best.is_none_or(|best| best.text().len() < kind.text().len());
        if said.starts_with(kind.text()) && longer {
            best = Some(kind);
        }
    }
    best
}

/// A reply of the model as a server would write it, as far as observers see it.
pub(crate) fn reply_text(reply: Reply, address: impl Fn(Addr) -> String) -> String {
    match reply {
        Reply::Ok => "+OK".to_owned(),
        Reply::Pong => "+PONG".to_owned(),
        Reply::Queued => "+QUEUED".to_owned(),
        Reply::Nil => "$-1".to_owned(),
        Reply::Int(number) => format!(":{number}"),
        Reply::Value(write) => format!("${}", rebound_sim::scenario::request::value(write)),
        Reply::Array(count) => format!("*{count}"),
        Reply::Elements(elements) => format!("*{}", elements.count),
        Reply::Subscribed => "subscribed".to_owned(),
        Reply::Published => "message".to_owned(),
        Reply::Error(error) => error.text().to_owned(),
        Reply::Redirect(Redirect { kind, to, .. }) => format!("-{kind} {}", address(to)),
        Reply::Info { .. } => "what the node is".to_owned(),
        Reply::Continue { .. } => "+CONTINUE".to_owned(),
        Reply::FullResync { .. } => "+FULLRESYNC".to_owned(),
        Reply::NewLine => "newline".to_owned(),
        Reply::DualChannelSync => "+DUALCHANNELSYNC".to_owned(),
        Reply::Reset => "+RESET".to_owned(),
        Reply::Encoding(encoding) => format!("${}", encoding.name()),
        Reply::Topology(_) => "slots".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: CommandKind, reply: Resp) -> Result<Reply, UnknownReply> {
        answer(command, &reply, Belief::default(), |host, port| {
            (host == "127.0.0.1" && port == 7001).then_some(Addr(1))
        })
    }

    #[test]
    fn errors_are_known_by_their_texts() {
        for &kind in ErrorKind::ALL {
            let reply = read(CommandKind::Get, Resp::Error(kind.text()[1..].to_owned()));
            assert_eq!(reply, Ok(Reply::Error(kind)));
        }
        let other = Resp::Error("ERR something new".to_owned());
        assert!(read(CommandKind::Get, other).is_err());
    }

    #[test]
    fn redirects_lead_to_addresses_of_the_plan() {
        let reply = read(
            CommandKind::Get,
            Resp::Error("REDIRECT 127.0.0.1:7001".to_owned()),
        );
        assert!(matches!(
            reply,
            Ok(Reply::Redirect(Redirect { to: Addr(1), .. }))
        ));
        let elsewhere = Resp::Error("REDIRECT 127.0.0.1:7009".to_owned());
        assert!(read(CommandKind::Get, elsewhere).is_err());
    }

    #[test]
    fn values_are_known_by_their_writes() {
        let value = Resp::Bulk(b"70".to_vec());
        assert_eq!(read(CommandKind::Get, value), Ok(Reply::Value(WriteId(70))));
        let queued = Resp::Array(vec![Resp::Simple("OK".to_owned()), Resp::Nil]);
        assert_eq!(read(CommandKind::Exec, queued), Ok(Reply::Array(2)));
    }

    #[test]
    fn role_says_who_the_primary_is() {
        let text = |text: &str| Resp::Bulk(text.as_bytes().to_vec());
        let role = Resp::Array(vec![
            text("slave"),
            text("127.0.0.1"),
            Resp::Int(7001),
            text("connected"),
            Resp::Int(5),
        ]);
        let Ok(Reply::Info {
            belief, primary, ..
        }) = read(CommandKind::Role, role)
        else {
            panic!("no role");
        };
        assert_eq!(
            (belief.role, belief.link, primary),
            (Role::Replica, LinkState::Up, Some(Addr(1)))
        );
    }
}
