//! Who is who in a recording: its servers, by name and by port.

use super::error::RecordingError;
use super::recording::{Event, Line};
use rebound_sim::valkey::{AddressBook, NodeId};

/// A server of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: `A`, `B`, ….
    pub name: String,
    /// The port that it listens on itself.
    pub port: u16,
    /// The port of its proxy, which it announces.
    pub announced: u16,
}

/// The servers of a recording, in the order in which they were started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    members: Vec<Member>,
    host: String,
}

impl Members {
    /// The servers that a recording starts.
    ///
    /// # Errors
    /// If there are none, or fewer than a failover needs.
    pub fn of(recording: &[Line]) -> Result<Members, RecordingError> {
        let mut members: Vec<Member> = Vec::new();
        for (index, line) in recording.iter().enumerate() {
            let Event::Start {
                node,
                port,
                announced,
            } = &line.event
            else {
                continue;
            };
            let announced = match announced {
                Some(announced) => *announced,
                None => port.checked_add(10).ok_or_else(|| {
                    let expected = "one below 65526, since its proxy's is that and ten";
                    RecordingError::at(index, format!("port {port}"), expected)
                })?,
            };
            if members.iter().all(|member| member.name != *node) {
                members.push(Member {
                    name: node.clone(),
                    port: *port,
                    announced,
                });
            }
        }
        if members.len() < 2 {
            return Err(RecordingError::whole(
                format!("{} \"start\" lines", members.len()),
                "two servers at least, each with a line \"start\"",
            ));
        }
        let mut members = Members {
            members,
            host: "127.0.0.1".to_owned(),
        };
        if let Some(host) = recording
            .iter()
            .find_map(|line| members.announced_host(line))
        {
            members.host = host;
        }
        Ok(members)
    }

    /// The host that an operator's command names together with a proxy's port.
    fn announced_host(&self, line: &Line) -> Option<String> {
        let Event::Tx { cmd, .. } = &line.event else {
            return None;
        };
        let words: Vec<&str> = cmd.split_ascii_whitespace().collect();
        let pair = words.windows(2).find(|pair| {
            let port = pair[1].parse().ok();
            port.is_some_and(|port: u16| self.members.iter().any(|m| m.announced == port))
        });
        pair.map(|pair| pair[0].to_owned())
    }

    /// The servers.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Member)> {
        let numbered = self.members.iter().enumerate();
        numbered.map(|(index, member)| (NodeId(index as u16), member))
    }

    /// The server of that name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        let (id, _) = self.nodes().find(|(_, member)| member.name == name)?;
        Some(id)
    }

    /// The server of that name, which a line must know.
    ///
    /// # Errors
    /// If there is none.
    pub fn known(&self, name: &str, index: usize) -> Result<NodeId, RecordingError> {
        self.node(name).ok_or_else(|| {
            let names: Vec<&str> = self.members.iter().map(|m| m.name.as_str()).collect();
            RecordingError::at(
                index,
                format!("the server \"{name}\""),
                format!("one that was started: {}", names.join(", ")),
            )
        })
    }

    /// The server behind a proxy, by the proxy's name: `PB` is in front of `B`.
    pub(crate) fn behind(&self, proxy: &str) -> Option<NodeId> {
        self.node(proxy.strip_prefix('P')?)
    }

    /// The server that listens at, or announces, a port.
    pub(crate) fn at_port(&self, port: u16) -> Option<NodeId> {
        let has = |member: &Member| member.port == port || member.announced == port;
        let (id, _) = self.nodes().find(|(_, member)| has(member))?;
        Some(id)
    }

    /// A server's name.
    pub fn name(&self, node: NodeId) -> &str {
        &self.members[usize::from(node.0)].name
    }

    /// The next server after one, round and round: where a client goes that cannot reach it.
    pub fn after(&self, node: NodeId) -> NodeId {
        NodeId((node.0 + 1) % self.members.len() as u16)
    }

    /// What the servers announce.
    pub fn addresses(&self) -> AddressBook {
        let announced = self
            .members
            .iter()
            .map(|m| (self.host.clone(), m.announced));
        AddressBook::new(announced)
    }

    /// A text with servers' names for their addresses.
    pub fn with_names(&self, text: &str) -> String {
        let named = |word: &str| -> String {
            let port = word.rsplit_once(':').filter(|(host, _)| *host == self.host);
            let port: Option<u16> = port.and_then(|(_, port)| port.parse().ok());
            let found = port.and_then(|port| Some((self.at_port(port)?, port)));
            match found {
                None => word.to_owned(),
                Some((node, port)) if self.members[usize::from(node.0)].announced == port => {
                    self.name(node).to_owned()
                }
                Some((node, _)) => format!("{}'s own port", self.name(node)),
            }
        };
        let words: Vec<String> = text.split(' ').map(named).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(node: &str, port: u16, announced: Option<u16>) -> Line {
        Line {
            t: 0.0,
            who: "lab".to_owned(),
            event: Event::Start {
                node: node.to_owned(),
                port,
                announced,
            },
        }
    }

    #[test]
    fn servers_are_known_by_name_port_and_proxy() {
        let members = Members::of(&[start("A", 7001, None), start("B", 7002, Some(9999))]);
        let members = members.expect("two servers");
        assert_eq!(members.node("B"), Some(NodeId(1)));
        assert_eq!(members.behind("PB"), Some(NodeId(1)));
        assert_eq!(members.at_port(7011), Some(NodeId(0)));
        assert_eq!(
            members.with_names("-REDIRECT 127.0.0.1:9999"),
            "-REDIRECT B"
        );
        assert_eq!(
            members.with_names("-REDIRECT 127.0.0.1:7002"),
            "-REDIRECT B's own port"
        );
        assert_eq!(members.with_names("-MOVED 3 127.0.0.1:7011"), "-MOVED 3 A");
        assert_eq!(members.after(NodeId(1)), NodeId(0));
    }

    #[test]
    fn one_server_is_no_failover() {
        let error = Members::of(&[start("A", 7001, None)]).expect_err("one server");
        assert_eq!(
            error.to_string(),
            "found 1 \"start\" lines, expected two servers at least, each with a line \"start\""
        );
        let error = Members::of(&[start("A", 65530, None)]).expect_err("no port for the proxy");
        assert!(
            error.to_string().contains("line 1: found port 65530"),
            "{error}"
        );
    }
}
