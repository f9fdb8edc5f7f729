//! RESP2 as bytes: commands out, replies in.

use crate::answer::Resp;
use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::OwnedFrame;

/// A command as bytes.
pub fn encode(words: &[String]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend(word.as_bytes());
        bytes.extend(b"\r\n");
    }
    bytes
}

/// Takes bytes in and gives whole replies, or whole requests, out.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole one, if it is all there.
    ///
    /// # Errors
    /// If it is not RESP2; a sentence that says what was found.
    pub fn next(&mut self) -> Result<Option<Resp>, String> {
        // A server that prepares a snapshot sends empty lines to be heard of.
        while self.buffer.first().is_some_and(|byte| *byte == b'\n') {
            self.buffer.remove(0);
        }
        match decode(&self.buffer) {
            Ok(None) => Ok(None),
            Ok(Some((frame, length))) => {
                self.buffer.drain(..length);
                Ok(Some(resp(frame)))
            }
            Err(error) => {
                let start = &self.buffer[..self.buffer.len().min(60)];
                let start = String::from_utf8_lossy(start).escape_debug().to_string();
                Err(format!("found \"{start}\", expected RESP ({error})"))
            }
        }
    }
}

fn resp(frame: OwnedFrame) -> Resp {
    match frame {
        OwnedFrame::SimpleString(bytes) => {
            Resp::Simple(String::from_utf8_lossy(&bytes).into_owned())
        }
        OwnedFrame::Error(text) => Resp::Error(text),
        OwnedFrame::Integer(number) => Resp::Int(number),
        OwnedFrame::BulkString(bytes) => Resp::Bulk(bytes),
        OwnedFrame::Array(frames) => Resp::Array(frames.into_iter().map(resp).collect()),
        OwnedFrame::Null => Resp::Nil,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_out_whole_however_they_come_in() {
        let bytes = b"\n+OK\r\n$3\r\nabc\r\n-ERR no\r\n*2\r\n:1\r\n$-1\r\n";
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for byte in bytes {
            decoder.push(&[*byte]);
            while let Some(reply) = decoder.next().expect("RESP") {
                found.push(reply);
            }
        }
        let expected = vec![
            Resp::Simple("OK".to_owned()),
            Resp::Bulk(b"abc".to_vec()),
            Resp::Error("ERR no".to_owned()),
            Resp::Array(vec![Resp::Int(1), Resp::Nil]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_resp_is_quoted() {
        let mut decoder = Decoder::default();
        decoder.push(b"HTTP/1.1 400 Bad Request\r\n");
        let error = decoder.next().expect_err("no RESP");
        assert!(error.contains("HTTP/1.1 400"), "{error}");
    }

    #[test]
    fn commands_are_arrays() {
        let words = ["GET".to_owned(), "1".to_owned()];
        assert_eq!(encode(&words), b"*2\r\n$3\r\nGET\r\n$1\r\n1\r\n");
    }
}
