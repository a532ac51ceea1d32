//! A small strict JSON reader that keeps the text of numbers. It knows the grammar and the depth limit, no fields.

/// Objects and arrays within each other; the outermost object is the first level.
const DEPTH_MAX: usize = 64;

/// One JSON value as far as a field may need it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// The number as it is written.
    Number(String),
    /// None when an escape stands for half a character, which no text can hold.
    Text(Option<String>),
    /// An object or an array, which no field can be.
    Nested,
}

/// The members of a text that is exactly one JSON object, in their order; none when it is anything else.
pub(crate) fn members(text: &str) -> Option<Vec<(Option<String>, Json)>> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    reader.space();
    let members = reader.object(1)?;
    reader.space();
    (reader.at == reader.bytes.len()).then_some(members)
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes exactly these bytes, or answers none.
    fn expect(&mut self, wanted: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(wanted.as_bytes()).then(|| self.at += wanted.len())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        match self.peek()? {
            b'{' => self.object(depth).map(|_| Json::Nested),
            b'[' => self.array(depth).map(|()| Json::Nested),
            b'"' => self.string().map(Json::Text),
            b't' => self.expect("true").map(|()| Json::Boolean(true)),
            b'f' => self.expect("false").map(|()| Json::Boolean(false)),
            b'n' => self.expect("null").map(|()| Json::Null),
            _ => self.number().map(Json::Number),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Vec<(Option<String>, Json)>> {
        if depth > DEPTH_MAX {
            return None;
        }
        let mut members = Vec::new();
        self.expect("{")?;
        self.space();
        if self.expect("}").is_some() {
            return Some(members);
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(":")?;
            self.space();
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.expect("}").is_some() {
                return Some(members);
            }
            self.expect(",")?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.expect("[")?;
        self.space();
        if self.expect("]").is_some() {
            return Some(());
        }
        loop {
            self.space();
            self.value(depth + 1)?;
            self.space();
            if self.expect("]").is_some() {
                return Some(());
            }
            self.expect(",")?;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<String> {
        let start = self.at;
        let _ = self.expect("-");
        if self.expect("0").is_none() {
            self.digits()?;
        }
        if self.expect(".").is_some() {
            self.digits()?;
        }
        if self.expect("e").or_else(|| self.expect("E")).is_some() {
            let _ = self.expect("+").or_else(|| self.expect("-"));
            self.digits()?;
        }
        String::from_utf8(self.bytes[start..self.at].to_vec()).ok()
    }

    /// Outer none: not a JSON string. Inner none: one, but of half a character.
    fn string(&mut self) -> Option<Option<String>> {
        self.expect("\"")?;
        // UTF-16 units are what the escapes of JSON count in, so everything is gathered in them.
        let mut units: Vec<u16> = Vec::new();
        loop {
            let rest = std::str::from_utf8(&self.bytes[self.at..]).ok()?;
            let character = rest.chars().next()?;
            self.at += character.len_utf8();
            match character {
                '"' => return Some(String::from_utf16(&units).ok()),
                '\\' => units.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                _ => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let letter = self.peek()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => u16::from(letter),
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'u' => {
                let hex = self.bytes.get(self.at..self.at + 4)?;
                if !hex.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 4;
                u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?
            }
            _ => return None,
        })
    }
}
