//! A small model of arrival times as the files of a package, byte by byte, for tests that need one and no library that writes models: so
//! many seconds, and so many more for each of one input. Whoever uses it signs it.

/// What it says, in the order of a pipeline's quantiles.
pub const OUTPUTS: [&str; 4] = ["p10", "p50", "p80", "p90"];
/// What each output says of a row of zeros, beside the seconds that the caller wants.
const LEVELS: [f32; 4] = [-120.0, 0.0, 120.0, 180.0];

/// A model called `eta`.
#[derive(Clone, Debug)]
pub struct Linear<'m> {
    /// Which version its package says that it is.
    pub version: &'m str,
    /// What it takes, 127 at most.
    pub inputs: &'m [String],
    /// The median of a row of zeros.
    pub seconds: f32,
    /// The input that it looks at, and what one more of it adds.
    pub weight: Option<(&'m str, f32)>,
}

impl Linear<'_> {
    /// The graph: the row times a table of weights, and a constant for each output.
    pub fn onnx(&self) -> Vec<u8> {
        let inputs = self.inputs.len();
        let mut weights = vec![0.0; inputs * OUTPUTS.len()];
        let weighted = self.weight.and_then(|(name, by)| Some((self.inputs.iter().position(|input| input == name)?, by)));
        if let Some((place, by)) = weighted {
            weights[place * OUTPUTS.len()..][..OUTPUTS.len()].fill(by);
        }
        let graph = [
            node("MatMul", "x", "weights", "weighted"),
            node("Add", "weighted", "constants", "y"),
            table("weights", &[inputs, OUTPUTS.len()], &weights),
            table("constants", &[OUTPUTS.len()], &self.constants()),
            port_of(11, "x", inputs),
            port_of(12, "y", OUTPUTS.len()),
        ];
        [vec![1 << 3, 8], field(8, &[2 << 3, 13]), field(7, &graph.concat())].concat()
    }

    /// What is known about it.
    pub fn manifest(&self) -> String {
        let mut text = format!("format = 1\nname = \"eta\"\nversion = \"{}\"\noutputs = {OUTPUTS:?}\n", self.version);
        for input in self.inputs {
            text.push_str(&format!("[[inputs]]\nname = \"{input}\"\ndefault = 0\n"));
        }
        let (from, until) = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
        let data = "0".repeat(64);
        text.push_str(&format!("[training]\nfrom = \"{from}\"\nuntil = \"{until}\"\nrows = 1000\ndata_sha256 = \"{data}\"\n"));
        let (row, expected) = (vec![0.0_f32; self.inputs.len()], self.constants());
        text + &format!("[[golden]]\nrow = {row:?}\nexpected = {expected:?}\n")
    }

    fn constants(&self) -> [f32; 4] {
        LEVELS.map(|level| level + self.seconds)
    }
}

fn node(operator: &str, first: &str, second: &str, made: &str) -> Vec<u8> {
    let ends = [field(1, first.as_bytes()), field(1, second.as_bytes()), field(2, made.as_bytes())].concat();
    field(1, &[ends, field(4, operator.as_bytes())].concat())
}

/// Numbers that the graph brings along.
fn table(name: &str, sides: &[usize], numbers: &[f32]) -> Vec<u8> {
    let sides: Vec<u8> = sides.iter().flat_map(|side| [1 << 3, *side as u8]).collect();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    field(5, &[sides, vec![2 << 3, 1], field(8, name.as_bytes()), field(9, &bytes)].concat())
}

/// A table of single precision with so many columns, 127 at most, and any number of rows.
pub fn port_of(number: u8, name: &str, width: usize) -> Vec<u8> {
    let shape = field(2, &[field(1, &field(2, b"rows")), field(1, &[1 << 3, width as u8])].concat());
    let kind = field(1, &[vec![1 << 3, 1], shape].concat());
    field(number, &[field(1, name.as_bytes()), field(2, &kind)].concat())
}

/// A field of a message of Protocol Buffers that has a length.
pub fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = if length < 0x80 { vec![length as u8] } else { vec![length as u8 | 0x80, (length >> 7) as u8] };
    [vec![number << 3 | 2], length, content.to_vec()].concat()
}
