//! Invite files: reading no more than an invite can have, writing the whole file or none.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::failure::Failure;
use super::whole_file::{write_failed, write_file};
use crate::invite::{InviteError, MAX_INVITE_FILE_LEN};
use crate::model::Code;
use crate::store::OwnFiles;

/// The error for a text that is no invite.
pub(super) fn invite_failed(error: InviteError) -> Failure {
    let code = match error {
        InviteError::NotAnInvite | InviteError::Damaged | InviteError::TooLarge => Code::Damaged,
        InviteError::NewerVersion => Code::NewerVersion,
        InviteError::WrongChat => Code::WrongChat,
    };
    Failure::new(code, error.to_string())
}

/// Reads an invite file, or a file that was taken for one: no more of it than an invite can have.
pub(super) fn read_invite(path: &Path) -> Result<String, Failure> {
    let failed = |error: &io::Error| {
        let code = if error.kind() == io::ErrorKind::NotFound {
            Code::NotFound
        } else {
            Code::File
        };
        Failure::new(
            code,
            format!("The invite {} could not be read: {error}.", path.display()),
        )
    };
    // Checked before opening: a pipe, for example, would wait for its writer for ever.
    if !fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(Failure::new(
            Code::File,
            format!("{} is not a file. Choose the invite file itself.", path.display()),
        ));
    }
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_INVITE_FILE_LEN as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    if bytes.len() > MAX_INVITE_FILE_LEN {
        return Err(invite_failed(InviteError::TooLarge));
    }
    String::from_utf8(bytes).map_err(|_| invite_failed(InviteError::NotAnInvite))
}

/// Writes an invite file that only the user can read, whole or not at all.
pub(super) fn write_invite(path: &Path, text: &str, own_files: &OwnFiles) -> Result<(), Failure> {
    let written = write_file(path, text.as_bytes(), true, own_files);
    written.map_err(|error| write_failed("The invite", path, &error))
}

/// The error if the work on a file was not done.
pub(super) fn file_failed(what: &str, why: &str) -> Failure {
    Failure::new(
        Code::File,
        format!("The invite could not be {what}: {why}. Try again."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_file_is_written_whole_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("friends.throng");
        let own = OwnFiles::of(&folder.path().join("profile"));
        for text in ["one", "another"] {
            write_invite(&path, text, &own).expect("written");
            assert_eq!(read_invite(&path).expect("read"), text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "no temporary file is left"
        );
        let failure = write_invite(&folder.path().join("no/such/folder"), "x", &own).expect_err("no folder");
        assert_eq!(failure.code, Code::File);
    }

    #[test]
    fn what_is_not_an_invite_file_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large");
        fs::File::create(&large)
            .expect("created")
            .set_len(1 << 30)
            .expect("a gigabyte of nothing");
        assert_eq!(read_invite(&large).expect_err("too large").code, Code::Damaged);
        assert_eq!(read_invite(folder.path()).expect_err("a folder").code, Code::File);
        assert_eq!(
            read_invite(&folder.path().join("none"))
                .expect_err("nothing")
                .code,
            Code::NotFound
        );
        let binary = folder.path().join("binary");
        fs::write(&binary, [0xFF; 40]).expect("written");
        assert_eq!(read_invite(&binary).expect_err("not text").code, Code::Damaged);
    }
}
