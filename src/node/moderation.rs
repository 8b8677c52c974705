//! What holds in a signed chat, and changing it.

use super::{Action, Admitted, Denied, Kind, Moderation, Node, State};
use crate::id::MemberId;

impl Node {
    /// What holds in the chat; none in a classic one, and before the charter has come.
    pub fn state(&self) -> Option<&State> {
        None
    }

    /// The root of the facts that hold; zeros if there are none.
    pub fn facts_root(&self) -> [u8; 32] {
        match &self.kind {
            Kind::Classic(_) => [0; 32],
            Kind::Signed(signed) => signed.facts_root(),
        }
    }

    /// What the credential of a member says of them; none of those never met.
    pub fn admitted(&self, _member: &MemberId) -> Option<Admitted> {
        None
    }

    /// All whom we know to be admitted, oneself among them.
    pub fn all_admitted(&self) -> impl Iterator<Item = Admitted> {
        std::iter::empty()
    }

    /// Whether we may do something.
    ///
    /// # Errors
    /// Why not: a sentence for whoever wanted it.
    pub fn may(&self, _action: Action) -> Result<(), Denied> {
        Ok(())
    }

    pub(super) fn moderate(&mut self, _deed: Moderation) {}

    pub(super) fn work_done(&mut self, _credential: &[u8]) {}
}
