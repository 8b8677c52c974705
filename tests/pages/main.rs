//! What the pages say is so: docs/headless.md has the commands and events that there are, docs/using.md the controls and
//! the slash commands, and links and names of files lead somewhere.

mod guide;
mod headless;
mod links;
