//! The database's file as it is, with everything that the database would write kept in memory: whoever only looks changes nothing,
//! and a file that was left in the middle of something is mended for the onlooker alone. Never writes to the file.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::StorageBackend;

const PAGE_BYTES: u64 = 4096;
/// What mending a file after a crash writes, with much room: 256 MiB. The database refuses to go on beyond it.
const PAGES_MAX: usize = 1 << 16;

/// A file and what was not written to it.
#[derive(Debug)]
pub(super) struct Overlay {
    /// None when there is no such file.
    file: Option<File>,
    pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
    length: u64,
    /// The part of the file that still counts: what is behind it was cut off in memory.
    file_length: u64,
    written: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|metadata| metadata.len()))?;
        Ok(Self { file, pages: Mutex::new(Pages { length, file_length: length, written: BTreeMap::new() }) })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Pages are replaced as a whole.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, pages: &Pages, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = pages.written.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE_BYTES as usize];
        let (begin, end) = (number * PAGE_BYTES, ((number + 1) * PAGE_BYTES).min(pages.file_length));
        if let (Some(file), true) = (&self.file, begin < end) {
            file.read_exact_at(&mut page[..(end - begin) as usize], begin)?;
        }
        Ok(page)
    }

    /// Calls with the number of each page in a range, the part of the page and the part of the range.
    fn each(
        offset: u64,
        length: usize,
        mut part: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let within = (at % PAGE_BYTES) as usize;
            let count = (PAGE_BYTES as usize - within).min(length - done);
            part(at / PAGE_BYTES, within..within + count, done..done + count)?;
            done += count;
        }
        Ok(())
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.pages().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let pages = self.pages();
        if offset.saturating_add(out.len() as u64) > pages.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Self::each(offset, out.len(), |number, within, range| {
            out[range].copy_from_slice(&self.page(&pages, number)?[within]);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> Result<(), io::Error> {
        let mut pages = self.pages();
        let (last, within) = (length / PAGE_BYTES, (length % PAGE_BYTES) as usize);
        pages.written.split_off(&(last + 1));
        if let Some(page) = pages.written.get_mut(&last) {
            page[within..].fill(0);
        }
        pages.length = length;
        pages.file_length = pages.file_length.min(length);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut pages = self.pages();
        Self::each(offset, data.len(), |number, within, range| {
            let mut page = self.page(&pages, number)?;
            page[within].copy_from_slice(&data[range]);
            pages.written.insert(number, page);
            if pages.written.len() > PAGES_MAX {
                return Err(io::Error::other("looking at this index would take more than 256 MiB of memory"));
            }
            Ok(())
        })?;
        pages.length = pages.length.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(overlay: &Overlay, offset: u64, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        overlay.read(offset, &mut out).expect("inside");
        out
    }

    #[test]
    fn what_is_written_is_read_and_the_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let before: Vec<u8> = (0..10_000u32).map(|number| number as u8).collect();
        std::fs::write(&path, &before).expect("written");
        let overlay = Overlay::open(&path).expect("opened");
        assert_eq!(read(&overlay, 4000, 5000), before[4000..9000]);
        overlay.write(4090, &[0xAA; 20]).expect("room");
        assert_eq!(read(&overlay, 4089, 22), [&before[4089..4090], &[0xAA; 20], &before[4110..4111]].concat());
        // Cut and grown again, it is zero behind the cut.
        overlay.set_len(4100).expect("shorter");
        overlay.set_len(9000).expect("longer");
        assert_eq!(read(&overlay, 4095, 10), [&[0xAA; 5][..], &[0; 5]].concat());
        assert_eq!(read(&overlay, 8000, 1000), [0; 1000]);
        assert!(overlay.read(8999, &mut [0; 2]).is_err());
        assert_eq!(std::fs::read(&path).expect("read"), before);
    }

    #[test]
    fn a_file_that_is_not_there_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let overlay = Overlay::open(&folder.path().join("file")).expect("opened");
        assert_eq!(overlay.len().expect("a length"), 0);
        overlay.set_len(10).expect("longer");
        assert_eq!(read(&overlay, 0, 10), [0; 10]);
        assert!(!folder.path().join("file").exists());
    }
}
