//! What is behind the window: a queue of requests down and a queue of reports up. It is a trait, so that tests can use
//! several runtimes, or a fake one.

use crate::model::{Report, Request};
use crate::runtime::{Handle, SendError};

/// What is behind the window.
pub trait Backend {
    /// Sends a request without waiting. Returns false if there is no room now; try again later.
    fn try_send(&mut self, request: &Request) -> bool;

    /// The next report, if there is one, without waiting.
    fn poll(&mut self) -> Option<Report>;
}

impl Backend for Handle {
    fn try_send(&mut self, request: &Request) -> bool {
        // A backend that has stopped takes no more requests; its last report has said so.
        !matches!(self.send(request.clone()), Err(SendError::Full(_)))
    }

    fn poll(&mut self) -> Option<Report> {
        self.try_recv()
    }
}
