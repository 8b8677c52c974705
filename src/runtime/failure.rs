//! The error of a command that could not be carried out.

use crate::model::Code;
use crate::store::StoreError;

/// What failed, as a code for programs and as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Failure {
    /// A failure with a sentence that says what to do.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Checks that a text has at most `max` bytes. `what` begins the sentence.
pub(super) fn check_len(what: &str, text: &str, max: usize) -> Result<(), Failure> {
    let len = text.len();
    if len <= max {
        return Ok(());
    }
    Err(Failure::new(
        Code::TooLong,
        format!("{what} can have at most {max} bytes of UTF-8, and this has {len}. Shorten it."),
    ))
}

/// The command can't be meant so.
pub(super) fn bad_command(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadCommand, message)
}
