//! Writing files whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::actor::random;
use super::failure::Failure;
use crate::model::Code;
use crate::store::OwnFiles;

/// A file that is written beside its destination, readable for the user alone. If this is dropped before
/// [`WholeFile::finish`], the file is removed.
#[derive(Debug)]
pub(super) struct WholeFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    own_files: OwnFiles,
    finished: bool,
}

impl WholeFile {
    /// Begins a file, which is to be none of the profile's own.
    pub(super) fn create(path: &Path, own_files: &OwnFiles) -> io::Result<Self> {
        check_not_own(path, own_files)?;
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
            own_files: own_files.clone(),
            finished: false,
        })
    }

    /// Moves it to its destination, replacing what was there.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        // The path may lead elsewhere by now.
        check_not_own(&self.path, &self.own_files)?;
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

fn check_not_own(path: &Path, own_files: &OwnFiles) -> io::Result<()> {
    if own_files.contains(path) {
        return Err(io::Error::other(
            "that is a file of Throng's own profile, which would be lost",
        ));
    }
    Ok(())
}

/// Writes a file where the user wants it: whole or not at all, for the user alone to read, and over none of the profile's
/// own files. Waits for the disk.
///
/// # Errors
/// As the disk has them; without `replace`, that there is a file already.
pub fn write_file(path: &Path, bytes: &[u8], replace: bool, own_files: &OwnFiles) -> io::Result<()> {
    if !replace && fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut file = WholeFile::create(path, own_files)?;
    file.write_all(bytes)?;
    file.finish()
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
        let own = OwnFiles::of(&folder.path().join("profile"));
        fs::write(&path, "what was there").expect("written");
        let mut file = WholeFile::create(&path, &own).expect("created");
        file.write_all(b"half").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"what was there");
        drop(file);
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "nothing is left"
        );

        let mut file = WholeFile::create(&path, &own).expect("created");
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
        let at_a_folder = WholeFile::create(folder.path(), &own).and_then(WholeFile::finish);
        assert!(at_a_folder.is_err());
        assert!(WholeFile::create(&folder.path().join("no/such/folder"), &own).is_err());
    }
}
