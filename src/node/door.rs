use super::Node;
use crate::facts::Door;
impl Node {
    /// How strangers come in.
    pub(super) fn door(&self) -> Door {
        self.state().map_or(Door::OPEN, |state| state.door())
    }
}
