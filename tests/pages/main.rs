//! What the pages say is so: docs/headless.md has the commands and events that there are, and links and names of files
//! lead somewhere.

mod headless;
mod links;
