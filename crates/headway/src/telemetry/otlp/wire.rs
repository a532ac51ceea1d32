//! The four shapes of protobuf's wire format that OTLP needs. Knows no message.

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const WITH_LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// A message under construction.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Integers, booleans and enumerations without a sign of their own.
    pub(super) fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | VARINT);
        self.varint(value);
    }

    /// Doubles by their bits, instants, and integers of fixed width.
    pub(super) fn fixed64(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | EIGHT_BYTES);
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u64, value: u32) {
        self.varint(field << 3 | FOUR_BYTES);
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | WITH_LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub(super) fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }

    /// Repeated values of fixed width.
    pub(super) fn packed(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl Fn(&mut Message), expected: &[u8]) {
        let mut message = Message::default();
        write(&mut message);
        assert_eq!(message.into_bytes(), expected);
    }

    #[test]
    fn the_examples_of_protobufs_own_documentation() {
        check(|message| message.integer(1, 150), &[0x08, 0x96, 0x01]);
        check(|message| message.text(2, "testing"), &[0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g']);
        let mut inner = Message::default();
        inner.integer(1, 150);
        check(|message| message.message(3, &inner), &[0x1a, 3, 0x08, 0x96, 0x01]);
    }

    #[test]
    fn fixed_widths_are_little_endian() {
        check(|message| message.fixed64(16, 1), &[0x81, 0x01, 1, 0, 0, 0, 0, 0, 0, 0]);
        check(|message| message.fixed32(1, 2), &[0x0d, 2, 0, 0, 0]);
        check(|message| message.packed(2, [3].into_iter()), &[0x12, 8, 3, 0, 0, 0, 0, 0, 0, 0]);
        check(|message| message.integer(1, u64::MAX), &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    }
}
