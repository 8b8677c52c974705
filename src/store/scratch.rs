//! Temporary files in a profile: the database on its way into a backup, and out of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The end of their names.
pub(super) const ENDING: &str = "tmp";

/// How many zeros are written at once, in bytes.
const WIPE_LEN: usize = 64 << 10;

/// A file that is overwritten and removed on drop, unless it was moved away.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty file in a profile's folder, for its user alone. There is only one of a name at a time.
    pub(super) fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let path = folder.join(format!("{name}.{ENDING}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes what a killed program has left.
pub(super) fn remove_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            remove(&path);
        }
    }
    Ok(())
}

fn remove(path: &Path) {
    // It may have been moved to its destination, or be gone.
    if let Err(error) = wipe(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("a file of the profile was not overwritten: {error}");
    }
    let _ = fs::remove_file(path);
}

fn wipe(path: &Path) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0; WIPE_LEN];
    while left > 0 {
        let part = left.min(WIPE_LEN as u64);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    file.sync_all()
}
