//! What the pages say is so: the layers, the tests that docs/security.md names, the commands and events of
//! docs/headless.md, the controls and slash commands of the guide, the numbers of docs/protocol.md's rules, links and names
//! of files.

mod guide;
mod headless;
mod layers;
mod links;
mod protocol;
mod security;
