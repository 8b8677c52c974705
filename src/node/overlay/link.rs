//! A link: a peer that has proved its address and hears our broadcasts from us.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::bucket::Bucket;
use super::tokens::Tokens;
use crate::id::MemberId;
use crate::wire::TokenCounter;

/// See the [module](self).
#[derive(Debug)]
pub(in super::super) struct Link {
    pub(super) member: MemberId,
    pub(super) address: SocketAddr,
    pub(super) round_trip: Option<Duration>,
    /// Signed chats only.
    pub(super) tokens: Option<Tokens>,
    /// How far its clock was ahead of ours when it came.
    pub(super) ahead_ms: Option<i64>,
    pub(super) linked_at: Duration,
    /// Whether we said hello, and not the peer.
    pub(super) is_dialled: bool,
    /// The peer says that it has no other.
    pub(super) is_only: bool,
    /// Next to us on the ring.
    pub(super) is_neighbour: bool,
    /// By lot: those of the greatest are passed on to first.
    pub(super) rank: u64,
    /// We told the peer that we have no other.
    pub(super) said_only: bool,
    /// When the peer last asked us for nodes: in a classic chat the only sign that we are its link, too.
    pub(super) asked_us_at: Option<Duration>,
    /// When either side last asked the other.
    pub(super) asked_at: Duration,
    pub(super) unanswered: u8,
    /// What it may ask and answer of that.
    pub(super) keepalives: Option<Bucket>,
    pub(super) looked_around_at: Duration,
}

impl Link {
    /// A link of a classic chat, which has no tokens.
    pub(in super::super) fn new(member: MemberId, address: SocketAddr, now: Duration) -> Self {
        Self {
            member,
            address,
            round_trip: None,
            tokens: None,
            ahead_ms: None,
            linked_at: now,
            is_dialled: true,
            is_only: false,
            is_neighbour: false,
            rank: 0,
            said_only: false,
            asked_us_at: None,
            asked_at: now,
            unanswered: 0,
            keepalives: None,
            looked_around_at: now,
        }
    }

    /// A link of a signed chat. `ahead_ms`: how far its clock is ahead of ours; `is_dialled`: we said hello.
    pub(in super::super) fn with_tokens(
        member: MemberId,
        address: SocketAddr,
        tokens: Tokens,
        ahead_ms: i64,
        is_dialled: bool,
        now: Duration,
    ) -> Self {
        Self {
            tokens: Some(tokens),
            ahead_ms: Some(ahead_ms),
            is_dialled,
            ..Self::new(member, address, now)
        }
    }

    pub(in super::super) fn member(&self) -> MemberId {
        self.member
    }

    /// Where it proved to be.
    pub(in super::super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last one measured.
    pub(in super::super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// None in a classic chat.
    pub(in super::super) fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// The peer says that it has no other.
    pub(in super::super) fn is_only(&self) -> bool {
        self.is_only
    }

    /// Next to us on the ring.
    pub(in super::super) fn is_neighbour(&self) -> bool {
        self.is_neighbour
    }

    /// Drawn by lot: those of the greatest are passed on to first.
    pub(in super::super) fn rank(&self) -> u64 {
        self.rank
    }

    /// Whether we said hello, and not the peer.
    pub(in super::super) fn is_dialled(&self) -> bool {
        self.is_dialled
    }

    pub(in super::super) fn linked_at(&self) -> Duration {
        self.linked_at
    }

    /// Whether a question whether it is there is under way.
    pub(in super::super) fn is_silent(&self) -> bool {
        self.unanswered > 0
    }

    /// "Asked for after 1.5 round trips": how long an answer may take.
    pub(in super::super) fn patience(&self) -> Duration {
        let round_trip = self.round_trip.unwrap_or(Duration::from_millis(200));
        (round_trip * 3 / 2).clamp(Duration::from_millis(150), Duration::from_secs(2))
    }

    /// The next token and counter to send under. `None` in a classic chat.
    pub(super) fn next_token(&mut self) -> Option<TokenCounter> {
        self.tokens.as_mut().map(Tokens::next)
    }
}
