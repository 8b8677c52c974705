//! What stands behind the window: a queue of requests down and a queue of reports up. A trait, so that tests can
//! put a whole runtime there, or a few lines that play one.

use crate::model::{Code, Report, Request};

/// What the backend has to say.
#[derive(Debug)]
pub enum BackendEvent {
    /// Something happened.
    Report(Box<Report>),
    /// It could not be started, or cannot go on: nothing will work.
    Failed {
        /// What went wrong, for programs.
        code: Code,
        /// What failed and what to do.
        message: String,
    },
    /// Everything is said and done; nothing more will come.
    Ended,
}

/// What stands behind the window.
pub trait Backend {
    /// Hands a request over without waiting. An unsent one comes back: the queue is full, try again later.
    fn try_send(&mut self, request: Request) -> Result<(), Box<Request>>;

    /// What has happened since, one at a time, without waiting.
    fn poll(&mut self) -> Option<BackendEvent>;
}
