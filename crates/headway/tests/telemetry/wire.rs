//! Protobuf as it is on the wire, read without any message's description.

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// All fields of a message in their order.
pub(crate) fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().expect("eight bytes"))),
            5 => Field::Number(u32::from_le_bytes(take(&mut bytes, 4).try_into().expect("four bytes")).into()),
            2 => {
                let length = varint(&mut bytes) as usize;
                Field::Bytes(take(&mut bytes, length))
            }
            other => panic!("wire type {other} of field {}", tag >> 3),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

/// The messages, texts or bytes of a field.
pub(crate) fn all(bytes: &[u8], number: u64) -> Vec<&[u8]> {
    let mut found = Vec::new();
    for (other, field) in fields(bytes) {
        if let (Field::Bytes(bytes), true) = (field, other == number) {
            found.push(bytes);
        }
    }
    found
}

pub(crate) fn number(bytes: &[u8], wanted: u64) -> Option<u64> {
    fields(bytes).into_iter().find_map(|(number, field)| match field {
        Field::Number(value) if number == wanted => Some(value),
        _ => None,
    })
}

pub(crate) fn text(bytes: &[u8], number: u64) -> String {
    all(bytes, number).first().map_or(String::new(), |bytes| String::from_utf8(bytes.to_vec()).expect("text"))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at_checked(count).expect("the message is whole");
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return value;
        }
        shift += 7;
    }
}
