//! The folder: whether it is there, Headway's, of a format that is known, and may be read and written.

use std::{fs, io::ErrorKind, path::Path};

use io_folder::{Folder, Look};
use rustix::{
    fs::{Access, access},
    io::Errno,
};

use super::Finding;

const SUBJECT: &str = "folder";

pub(super) fn findings(path: &Path) -> Vec<Finding> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return vec![missing(path)],
        Err(error) => {
            let finding = Finding::fault(SUBJECT, format!("{shown} cannot be looked at: {error}"));
            return vec![finding.with("Give the user that runs Headway the right to it, or choose another --folder.")];
        }
    };
    if !metadata.is_dir() {
        let finding = Finding::fault(SUBJECT, format!("{shown} is a file, not a folder"));
        return vec![finding.with("Choose another --folder, or move the file away.")];
    }
    if let Some(fault) = rights(path) {
        return vec![fault];
    }
    vec![match Folder::look(path) {
        Ok(Some(_)) => Finding::ok(SUBJECT, format!("{shown} may be read and written, format {}", Look::FORMAT)),
        Ok(None) => match strangers(path) {
            None => Finding::ok(SUBJECT, format!("{shown} is empty and may be written to")),
            Some(name) => Finding::fault(SUBJECT, format!("{shown} holds files that are not Headway's, such as {name}"))
                .with("Choose another --folder: deleting Headway's is said to be the whole uninstall."),
        },
        Err(error) => Finding::fault(SUBJECT, ports::Error::from(error).to_string()),
    }]
}

/// A folder that is not there yet is made by the first start, if that may do so.
fn missing(path: &Path) -> Finding {
    let above = path.ancestors().skip(1).find(|above| above.as_os_str().is_empty() || above.exists());
    let above = above.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = path.display();
    if !above.is_dir() {
        let finding = Finding::fault(SUBJECT, format!("{shown} cannot be made: {} is a file", above.display()));
        return finding.with("Choose another --folder.");
    }
    rights(above).unwrap_or_else(|| Finding::ok(SUBJECT, format!("{shown} is not there yet; the first `headway run` makes it")))
}

fn rights(path: &Path) -> Option<Finding> {
    let may = |rights, what| access(path, rights).err().map(|error| refused(path, what, error));
    may(Access::READ_OK | Access::EXEC_OK, "read").or_else(|| may(Access::WRITE_OK, "written to"))
}

fn refused(path: &Path, what: &str, error: Errno) -> Finding {
    let finding = Finding::fault(SUBJECT, format!("{} may not be {what}: {error}", path.display()));
    let todo = match error {
        Errno::ROFS => "Its file system is read-only: mount it so that it may be written to, or choose another --folder.",
        _ => "Give the user that runs Headway the right to it, or choose another --folder.",
    };
    finding.with(todo)
}

/// Something that keeps Headway from taking the folder.
fn strangers(path: &Path) -> Option<String> {
    let names = fs::read_dir(path).ok()?.flatten().map(|entry| entry.file_name().display().to_string());
    names.filter(|name| !name.starts_with('.') && !["log", "unfinished"].contains(&&**name)).min()
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn check(path: &Path, level: Level, word: &str) {
        let findings = findings(path);
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert!(finding.level == level && finding.says.contains(word), "{finding:?}");
        assert_eq!(finding.todo.is_some(), level != Level::Ok, "{finding:?}");
    }

    #[test]
    fn a_folder_is_told_from_what_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        check(&path.join("a/b"), Level::Ok, "not there yet");
        check(path, Level::Ok, "is empty");
        fs::write(path.join("photo.jpg"), "x").expect("written");
        check(path, Level::Fault, "photo.jpg");
        check(&path.join("photo.jpg"), Level::Fault, "is a file");
        check(&path.join("photo.jpg/a"), Level::Fault, "photo.jpg");
    }

    #[test]
    fn what_may_not_be_done_is_told_with_its_reason() {
        let path = Path::new("/data");
        for (error, word) in [(Errno::ROFS, "read-only"), (Errno::ACCESS, "the right")] {
            let finding = refused(path, "written to", error);
            assert_eq!(finding.level, Level::Fault);
            assert!(finding.says.contains("/data may not be written to"), "{finding:?}");
            assert!(finding.todo.is_some_and(|todo| todo.contains(word)));
        }
    }
}
