//! Which files belong to a profile, so that nothing that a user exports is written over them.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::profile::{DATABASE, LOCK, SOCKET};
use super::rebuild::MARK;
use super::scratch;

/// Links that lead to links are followed so often, as Linux does.
const MAX_LINKS: u32 = 40;

/// The files of a profile.
#[derive(Debug, Clone)]
pub struct OwnFiles {
    folder: PathBuf,
}

impl OwnFiles {
    /// Those of the profile in this folder.
    pub fn of(profile: &Path) -> Self {
        Self {
            folder: profile.to_owned(),
        }
    }

    /// Whether writing to this path would change a file of the profile, or take the name of one that comes and goes (a
    /// database's log). It does not matter how the path leads there: relative, by symbolic or hard links, in another
    /// case. Waits for the disk.
    pub fn contains(&self, path: &Path) -> bool {
        self.is_own(path, MAX_LINKS)
    }

    fn is_own(&self, path: &Path, links: u32) -> bool {
        let folder = folder_of(path);
        let is_here = is_same(fs::metadata(folder), fs::metadata(&self.folder))
            || fs::canonicalize(folder).is_ok_and(|folder| is_at(&folder, &self.folder));
        if is_here
            && path
                .file_name()
                .is_some_and(|name| is_own_name(&name.to_string_lossy()))
        {
            return true;
        }
        if let Ok(target) = fs::read_link(path) {
            // A chain without an end leads nowhere.
            return links > 0 && self.is_own(&folder.join(target), links - 1);
        }
        let Ok(files) = fs::read_dir(&self.folder) else {
            return false;
        };
        // Another name of the same file.
        files
            .filter_map(Result::ok)
            .filter(|file| is_own_name(&file.file_name().to_string_lossy()))
            .any(|file| is_same(fs::metadata(path), fs::metadata(file.path())))
    }
}

/// The folder that a path's last part is in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn is_at(folder: &Path, other: &Path) -> bool {
    fs::canonicalize(other).is_ok_and(|other| *folder == other)
}

/// The database, its logs, damaged ones that were kept, the lock, the socket, the mark, and what is on its way. In any case, since
/// not all file systems tell cases apart.
fn is_own_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(DATABASE)
        || name == LOCK
        || name == MARK
        || name == SOCKET
        || name.ends_with(&format!(".{}", scratch::ENDING))
}

#[cfg(unix)]
fn is_same(one: io::Result<Metadata>, other: io::Result<Metadata>) -> bool {
    use std::os::unix::fs::MetadataExt;

    matches!((one, other), (Ok(one), Ok(other)) if (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
fn is_same(_: io::Result<Metadata>, _: io::Result<Metadata>) -> bool {
    false // Files have one name there, which the folder tells.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_s_files_are_known_by_every_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path().join("profile");
        fs::create_dir_all(profile.join("sub")).expect("made");
        for name in [DATABASE, LOCK, "notes.txt"] {
            fs::write(profile.join(name), "").expect("written");
        }
        let own = OwnFiles::of(&profile);
        for name in [
            "throng.db",
            "THRONG.DB",
            "throng.db-wal",
            "throng.db-shm",
            "throng.db-journal",
            "throng.db.damaged-2026-11-25",
            "lock",
            "damaged",
            "backup.tmp",
            "sub/../throng.db",
            "./throng.db",
        ] {
            assert!(own.contains(&profile.join(name)), "{name}");
        }
        for name in [
            "notes.txt",
            "chat.html",
            "sub/throng.db",
            "no/such/folder/throng.db",
            "..",
        ] {
            assert!(!own.contains(&profile.join(name)), "{name}");
        }
        assert!(!own.contains(&folder.path().join("throng.db")));
        assert!(!own.contains(Path::new("")));

        fs::hard_link(profile.join(DATABASE), folder.path().join("linked")).expect("linked");
        assert!(own.contains(&folder.path().join("linked")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;

            let link = |target: &Path, name: &str| {
                let link = folder.path().join(name);
                symlink(target, &link).expect("linked");
                link
            };
            let direct = link(&profile.join(DATABASE), "direct");
            assert!(own.contains(&direct));
            assert!(own.contains(&link(&direct, "by another")));
            assert!(own.contains(&link(Path::new("profile/throng.db"), "relative")));
            assert!(own.contains(&link(&profile.join("throng.db-wal"), "to none yet")));
            assert!(own.contains(&link(&profile, "folder").join("throng.db")));
            assert!(!own.contains(&link(&profile.join("notes.txt"), "notes")));
            assert!(!own.contains(&link(Path::new("circle"), "circle")));
            assert!(OwnFiles::of(&folder.path().join("folder")).contains(&profile.join(DATABASE)));
        }
    }
}
