//! Small files for people and programs: a line that says what it is, in which version and with which checksum, then JSON.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Disk, Error, disk};

/// The version of all such files.
const FORMAT: u32 = 1;

/// Puts a value in place of the one that is there.
pub(crate) fn write<T: Serialize>(disk: &Disk, path: &Path, kind: &str, value: &T) -> Result<(), Error> {
    let mut body = serde_json::to_vec_pretty(value).map_err(|error| Error::Broken(format!("{}: {error}", path.display())))?;
    body.push(b'\n');
    let head = format!("headway {kind} {FORMAT} {:016x}\n", xxh3_64(&body));
    disk.replace(path, &[head.as_bytes(), &body])
}

/// The value, none when there is no such file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, kind: &str, advice: &'static str) -> Result<Option<T>, Error> {
    let Some(bytes) = disk::read(path)? else { return Ok(None) };
    let damaged = |what: String| Error::Damaged { path: path.into(), what, advice, alone: false };
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no first line".into()))?;
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 1..]);
    let words: Vec<&str> = head.split(' ').collect();
    let ["headway", found, format, checksum] = words[..] else { return Err(damaged("its first line is not Headway's".into())) };
    if found != kind {
        return Err(damaged(format!("it says `{found}` where `{kind}` was expected")));
    }
    match format.parse::<u32>() {
        Ok(format) if format > FORMAT => return Err(Error::Newer { path: path.into(), found: format, known: FORMAT }),
        Ok(_) => {}
        Err(_) => return Err(damaged("its first line has no version".into())),
    }
    if checksum != format!("{:016x}", xxh3_64(body)) {
        return Err(damaged("its checksum does not match, so it was changed or torn after it was written".into()));
    }
    serde_json::from_slice(body).map(Some).map_err(|error| damaged(error.to_string()))
}
