//! To come.

pub mod composer;
pub mod identicon;
pub mod theme;
pub mod timeline;
