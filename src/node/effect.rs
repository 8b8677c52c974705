//! What a machine asks of the whole: it is carried out by the machines above, which it does not know.

use crate::id::{ClientId, MemberId};

/// See the [module](self).
#[derive(Debug)]
pub(super) enum Effect {
    /// A link ended: what belongs to it is dropped, and what was under way over it goes on elsewhere.
    LinkDown { client_id: ClientId, member: MemberId },
    /// A session is not known any more.
    SessionForgotten(ClientId),
    /// Somebody new has come in by the door.
    CameByDoor,
}
