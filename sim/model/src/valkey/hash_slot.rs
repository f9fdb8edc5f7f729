//! Hash slots: which part of a cluster's key space a key belongs to
//! (8.0.1, `keyHashSlot`, cluster.c, and crc16.c).

use rebound_engine::hashed;

/// How many hash slots there are (`CLUSTER_SLOTS`).
pub const HASH_SLOTS: u16 = 16_384;

/// A hash slot of cluster mode, below [`HASH_SLOTS`]. (A server's or client's `ConnSlot` is a
/// connection.)
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashSlot(pub u16);

hashed!(struct HashSlot(number));

impl HashSlot {
    /// The slot of a key's text: that of its hash tag if it has one, `{…}` with something inside.
    pub fn of(text: &[u8]) -> HashSlot {
        let tag = text.iter().position(|byte| *byte == b'{').and_then(|open| {
            let rest = &text[open + 1..];
            let len = rest.iter().position(|byte| *byte == b'}')?;
            (len > 0).then(|| &rest[..len])
        });
        HashSlot(crc16(tag.unwrap_or(text)) % HASH_SLOTS)
    }

    /// The slot of key number `key`, written `{tag}:key` with the tag `key / keys_per_tag`, so that
    /// this many neighbours share a slot.
    #[inline]
    pub fn of_key(key: u32, keys_per_tag: u32) -> HashSlot {
        let mut digits = [0_u8; 10];
        let mut from = digits.len();
        let mut rest = key / keys_per_tag;
        loop {
            from -= 1;
            digits[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        HashSlot(crc16(&digits[from..]) % HASH_SLOTS)
    }
}

/// CRC16 with polynomial 0x1021, as the cluster specification has it (XMODEM).
#[inline]
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (crc << 8) ^ CRC16[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

static CRC16: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's own check value, and slots that `CLUSTER KEYSLOT` is documented to
    /// give.
    #[test]
    fn known_slots() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(HashSlot::of(b"foo"), HashSlot(12_182));
        assert_eq!(HashSlot::of(b"somekey"), HashSlot(11_058));
        assert_eq!(HashSlot::of(b"foo{hash_tag}"), HashSlot(2_515));
        assert_eq!(HashSlot::of(b"foo{}{bar}"), HashSlot(8_363));
        assert_eq!(HashSlot::of(b"foo{{bar}}zap"), HashSlot::of(b"{bar"));
    }

    #[test]
    fn a_numbered_key_has_the_slot_of_its_text() {
        for key in [0, 1, 9, 10, 99, 12_345, u32::MAX] {
            for keys_per_tag in [1, 10] {
                let text = format!("{{{}}}:{key}", key / keys_per_tag);
                assert_eq!(
                    HashSlot::of(text.as_bytes()),
                    HashSlot::of_key(key, keys_per_tag)
                );
            }
        }
    }
}
