use super::{Kind, Node};
use crate::facts::Door;

impl Node {
    /// How strangers come in.
    pub(super) fn door(&self) -> Door {
        match &self.kind {
            Kind::Signed(signed) => signed.door(),
            Kind::Classic(_) => Door::OPEN,
        }
    }
}
