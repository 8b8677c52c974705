//! Writing files whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::actor::random;
use super::failure::Failure;
use crate::model::Code;

/// A file that is written beside its destination, readable for the user alone. If this is dropped before
/// [`WholeFile::finish`], the file is removed.
#[derive(Debug)]
pub(super) struct WholeFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl WholeFile {
    /// Begins a file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let name: u64 = u64::from_be_bytes(random());
        let temporary = folder.join(format!(".throng-{name:016x}.tmp"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            file: options.open(&temporary)?,
            temporary,
            path: path.to_owned(),
            finished: false,
        })
    }

    /// Moves it to its destination, replacing what was there.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.finished {
            // If it can't be removed, nothing can be done.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The error for a file that could not be written. `what` begins the sentence: "The invite".
pub(super) fn write_failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Failure::new(
                Code::DiskFull,
                format!(
                    "{what} could not be written to {place}: the disk is full. Make room on it, or choose another place."
                ),
            )
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Failure::new(
            Code::File,
            format!("{what} could not be written to {place}: you may not write there. Choose another place."),
        ),
        io::ErrorKind::NotFound => Failure::new(
            Code::File,
            format!("{what} could not be written to {place}: there is no such folder. Choose another place."),
        ),
        io::ErrorKind::IsADirectory => Failure::new(
            Code::File,
            format!("{what} could not be written to {place}: that is a folder. Name a file in it."),
        ),
        _ => Failure::new(
            Code::File,
            format!("{what} could not be written to {place}: {error}. Choose another place."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chat.html");
        fs::write(&path, "what was there").expect("written");
        let mut file = WholeFile::create(&path).expect("created");
        file.write_all(b"half").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"what was there");
        drop(file);
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "nothing is left"
        );

        let mut file = WholeFile::create(&path).expect("created");
        file.write_all(b"all of it").expect("written");
        file.finish().expect("put in place");
        assert_eq!(fs::read(&path).expect("there"), b"all of it");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let full = write_failed("The chat", &path, &io::ErrorKind::StorageFull.into());
        assert_eq!(full.code, Code::DiskFull);
        let at_a_folder = WholeFile::create(folder.path()).and_then(WholeFile::finish);
        assert!(at_a_folder.is_err());
        assert!(WholeFile::create(&folder.path().join("no/such/folder")).is_err());
    }
}
