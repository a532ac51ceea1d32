//! The digest of a package and its signature. A package is signed by one Ed25519 key; whoever loads it has a list of those it trusts.
//!
//! The digest is the SHA-256 of one line for each signed file, in the order of their names: its SHA-256 in hexadecimal digits, two
//! spaces, its name, a line feed - what `sha256sum model.onnx model.toml | sha256sum` prints. The signature is over a line that says
//! what is signed, so that it cannot be taken for anything else: `headway model package 1 <digest>` and a line feed.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{Files, MANIFEST, MODEL, SIGNATURE};
use crate::Error;

const PURPOSE: &str = "headway model package 1";
const KEY_IN_SIGNATURE: &str = "the key in model.sig";

/// Names a package by what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// A public key whose packages are loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey(VerifyingKey);

/// A secret key that signs packages. Is never shown.
pub struct Signer(SigningKey);

/// The digest of the files that are signed; `model.sig` is not one of them.
pub fn digest(files: &Files) -> Digest {
    let mut lines = String::new();
    for (name, content) in files.iter().filter(|(name, _)| [MODEL, MANIFEST].contains(&name.as_str())) {
        lines.push_str(&format!("{}  {name}\n", hexadecimal(&Sha256::digest(content))));
    }
    Digest(hexadecimal(&Sha256::digest(lines)))
}

/// Signs a package: puts its `model.sig` beside the other files, in place of one that was there.
pub fn sign(files: &mut Files, signer: &Signer) -> Digest {
    let digest = digest(files);
    let signature = signer.0.sign(message(&digest).as_bytes());
    let text = format!("digest {digest}\nkey {}\nsignature {}\n", signer.key(), hexadecimal(&signature.to_bytes()));
    files.insert(SIGNATURE.into(), text.into_bytes());
    digest
}

/// The digest and the key of a package whose signature is good.
pub(super) fn verify(files: &Files, trusted: &[TrustedKey]) -> Result<(Digest, TrustedKey), Error> {
    let [signed, key, signature] = lines(&files[SIGNATURE])?;
    let found = digest(files);
    if found.0 != signed {
        return Err(Error::Changed { found: found.0, signed });
    }
    let key = TrustedKey::parse(&key, KEY_IN_SIGNATURE)?;
    if !trusted.contains(&key) {
        return Err(Error::Untrusted { key: key.to_string(), trusted: trusted.len() });
    }
    let signature = bytes::<64>(&signature)
        .ok_or_else(|| Error::Signature { reason: "the signature is not 128 hexadecimal digits".into() })?;
    match key.0.verify_strict(message(&found).as_bytes(), &Signature::from_bytes(&signature)) {
        Ok(()) => Ok((found, key)),
        Err(_) => Err(Error::Forged { key: key.to_string() }),
    }
}

/// The key that a package names. Says nothing about who signed it until that key was trusted and the signature looked at.
pub fn key_of(files: &Files) -> Result<TrustedKey, Error> {
    let signature = files.get(SIGNATURE).ok_or_else(|| Error::Missing { file: SIGNATURE, expected: super::FILES.join(", ") })?;
    let [_, key, _] = lines(signature)?;
    TrustedKey::parse(&key, KEY_IN_SIGNATURE)
}

fn message(digest: &Digest) -> String {
    format!("{PURPOSE} {digest}\n")
}

/// What stands behind `digest`, `key` and `signature`, one to a line.
fn lines(content: &[u8]) -> Result<[String; 3], Error> {
    let fault = |reason: &str| Error::Signature { reason: reason.into() };
    let text = std::str::from_utf8(content).map_err(|_| fault("it is no text"))?;
    let mut lines = text.lines();
    let mut line = |name: &'static str| {
        let rest = lines.next().and_then(|line| line.strip_prefix(name)).and_then(|rest| rest.strip_prefix(' '));
        rest.map(String::from).ok_or_else(|| fault("its lines have to begin with digest, key and signature"))
    };
    let found = [line("digest")?, line("key")?, line("signature")?];
    match lines.next() {
        Some(_) => Err(fault("it has more than three lines")),
        None => Ok(found),
    }
}

impl TrustedKey {
    /// Reads the 64 hexadecimal digits of a public key; `what` says in an error which one it was.
    pub fn parse(text: &str, what: &str) -> Result<Self, Error> {
        let key = bytes::<32>(text.trim()).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()).filter(|key| !key.is_weak());
        key.map(Self).ok_or_else(|| Error::Key { what: what.into() })
    }
}

impl Signer {
    /// From the 32 bytes of the secret key, which the caller drew by chance.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// Reads the 64 hexadecimal digits of a secret key; `what` says in an error where they were.
    pub fn parse(text: &str, what: &str) -> Result<Self, Error> {
        let secret = bytes::<32>(text.trim()).ok_or_else(|| Error::Key { what: what.into() })?;
        Ok(Self::from_secret(&secret))
    }

    /// The public key that belongs to it.
    pub fn key(&self) -> TrustedKey {
        TrustedKey(self.0.verifying_key())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hexadecimal(self.0.as_bytes()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signer(of {})", self.key())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly so many bytes, two digits each.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
