//! What stands behind the window: a queue of requests down and a queue of reports up. A trait, so that tests can
//! put several runtimes there, or a few lines that play one.

use crate::model::{Report, Request};
use crate::runtime::{Handle, SendError};

/// What stands behind the window.
pub trait Backend {
    /// Hands a request over without waiting. False: there is no room now; try again later.
    fn try_send(&mut self, request: &Request) -> bool;

    /// What has happened since, one at a time, without waiting.
    fn poll(&mut self) -> Option<Report>;
}

impl Backend for Handle {
    fn try_send(&mut self, request: &Request) -> bool {
        // To one that has stopped nothing can be said any more; its last report says so.
        !matches!(self.send(request.clone()), Err(SendError::Full(_)))
    }

    fn poll(&mut self) -> Option<Report> {
        self.try_recv()
    }
}
