//! Packages on disk for the tests beside it: small models, written as bytes, with what is known about them.

use std::{fs, path::PathBuf, process::Command};

use scoring::package::{Files, MANIFEST, MODEL, SIGNATURE, Signer, read_folder, sign, write_folder};
use serde_json::Value;
use tempfile::TempDir;
use testkit::model::{field, port_of};

pub(crate) const MANIFEST_TEXT: &str = r#"
format = 1
name = "eta"
version = "2026-11-20.1"
outputs = ["p50"]

[[inputs]]
name = "distance"
default = 1500.0

[[inputs]]
name = "weekday"
kind = "category"
categories = 7
default = 0

[training]
from = "2026-10-01T00:00:00Z"
until = "2026-11-01T00:00:00Z"
rows = 120000
data_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[[metrics]]
slice = "all"
name = "mae"
value = 211.5
rows = 20000

[calibration.offsets]
p50 = -3.5

[[golden]]
row = [-600.0, 3]
expected = [603.0]
"#;

/// A package in a folder of its own, and a folder beside it for keys.
pub(crate) struct Scene {
    kept: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    /// A sound package that nobody has signed.
    pub(crate) fn unsigned() -> Self {
        let scene = Self { kept: tempfile::tempdir().expect("a folder") };
        let files = Files::from([(MODEL.into(), model("Abs")), (MANIFEST.into(), MANIFEST_TEXT.into())]);
        write_folder(&scene.folder(), &files).expect("written");
        scene
    }

    /// One that is signed by the first key.
    pub(crate) fn signed() -> Self {
        let scene = Self::unsigned();
        scene.sign();
        scene
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.kept.path().join("package")
    }

    pub(crate) fn beside(&self, name: &str) -> String {
        self.kept.path().join(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder().join(name), content).expect("written");
    }

    /// Changes what was signed: the signature is for something else now.
    pub(crate) fn edit(&self, name: &str, before: &str, after: &str) {
        let text = fs::read_to_string(self.folder().join(name)).expect("text");
        assert!(text.contains(before), "{before:?} is not in {name}");
        self.write(name, text.replacen(before, after, 1));
    }

    /// Signs whatever is there, as somebody would who does not look.
    pub(crate) fn sign(&self) {
        let mut files = read_folder(&self.folder(), &scoring::Limits::default()).expect("readable");
        sign(&mut files, &signer(1));
        self.write(SIGNATURE, &files[SIGNATURE]);
    }

    pub(crate) fn ask(&self, command: &str, arguments: &[&str], code: i32) -> Said {
        let mut words = vec!["models".to_owned(), command.to_owned(), self.folder().display().to_string()];
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let output = Command::new(env!("CARGO_BIN_EXE_headway")).args(&words).output().expect("the binary");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
        Said { out, err }
    }

    pub(crate) fn object(&self, command: &str, arguments: &[&str], code: i32) -> Value {
        let said = self.ask(command, &[arguments, &["--json"]].concat(), code);
        assert_eq!(said.out.trim_end().lines().count(), 1, "{}", said.out);
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out))
    }

    /// That a scorer which trusts the first key would refuse it, in words for people and for programs.
    #[track_caller]
    pub(crate) fn refused(&self, expected: &str) {
        let key = key(1);
        let said = self.ask("verify", &["--trust", &key], 78);
        assert!(said.err.contains(expected) && said.out.is_empty(), "{:?} does not say {expected:?}", said.err);
        assert!(!said.err.contains('\u{1b}'), "{:?}", said.err);
        let object = self.object("verify", &["--trust", &key], 78);
        assert_eq!(object["error"]["exit_code"], 78);
        assert!(object["error"]["message"].as_str().is_some_and(|message| message.contains(expected)), "{object:#}");
    }
}

pub(crate) fn signer(number: u8) -> Signer {
    Signer::from_secret(&[number; 32])
}

/// The public key that belongs to a secret one.
pub(crate) fn key(number: u8) -> String {
    signer(number).key().to_string()
}

/// What an operator with one input makes of each value, then the sum of a row: a network of two operators over two values.
pub(crate) fn model(operator: &str) -> Vec<u8> {
    let node = |name: &str, from: &str, to: &str| {
        let attributes = if name == "ReduceMean" { mean_of_columns() } else { Vec::new() };
        field(1, &[field(1, from.as_bytes()), field(2, to.as_bytes()), field(4, name.as_bytes()), attributes].concat())
    };
    let graph =
        [node(operator, "x", "made"), node("ReduceMean", "made", "half"), twice(), port_of(11, "x", 2), port_of(12, "y", 1)]
            .concat();
    let operators = field(8, &[2 << 3, 13]);
    [vec![1 << 3, 8], operators, field(7, &graph)].concat()
}

/// Over the second side, which stays.
fn mean_of_columns() -> Vec<u8> {
    let list = [field(1, b"axes"), vec![8 << 3, 1], vec![0xa0, 1, 7]].concat();
    let number = [field(1, b"keepdims"), vec![3 << 3, 1], vec![0xa0, 1, 2]].concat();
    [field(5, &list), field(5, &number)].concat()
}

fn twice() -> Vec<u8> {
    let ends = [field(1, b"half"), field(1, b"half"), field(2, b"y"), field(4, b"Add")].concat();
    field(1, &ends)
}
