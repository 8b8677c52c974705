//! A session of a member: what a start of a program is known by.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::id::MemberId;
use crate::wire::Say;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(in crate::node) struct Session {
    pub(super) member: MemberId,
    pub(super) start_ms: u64,
    pub(super) chain: Vec<u8>,
    /// Its last name and status, to be told to others.
    pub(super) name: Option<Say>,
    pub(super) status: Option<Say>,
    pub(super) online: bool,
    /// Its chain has been passed on with something that it said.
    pub(super) introduced: bool,
    /// It said goodbye: nothing that comes late brings it back.
    pub(super) has_quit: bool,
    /// Who reported it as gone since it was last heard of.
    pub(super) reporters: BTreeSet<MemberId>,
    /// When it was last heard of.
    pub(super) heard_at: Duration,
    /// Since when it stands, if it does.
    pub(super) stands_since: Duration,
    /// The greatest number of what it said.
    pub(super) last_number: u32,
    /// Under which number it said two things.
    pub(super) forked_at: Option<u32>,
}

impl Session {
    pub(super) fn new(member: MemberId, start_ms: u64, chain: Vec<u8>) -> Self {
        Self {
            member,
            start_ms,
            chain,
            name: None,
            status: None,
            online: false,
            introduced: false,
            has_quit: false,
            reporters: BTreeSet::new(),
            heard_at: Duration::ZERO,
            stands_since: Duration::ZERO,
            last_number: 0,
            forked_at: None,
        }
    }

    pub(in crate::node) fn member(&self) -> MemberId {
        self.member
    }

    /// When it began, ms since 1970: nothing was said in it before.
    pub(in crate::node) fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// Whether it stands.
    pub(in crate::node) fn is_online(&self) -> bool {
        self.online
    }

    /// Since when it stands, if it does.
    pub(in crate::node) fn stands_since(&self) -> Duration {
        self.stands_since
    }

    /// The greatest number of what it said; 0: it said nothing.
    pub(in crate::node) fn last_number(&self) -> u32 {
        self.last_number
    }

    /// Under which number it said two things: it is over with that.
    pub(in crate::node) fn forked_at(&self) -> Option<u32> {
        self.forked_at
    }
}
