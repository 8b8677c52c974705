//! The tokens and counters that all extension kinds but `say` start with, against reflection and replay.

use crate::wire::TokenCounter;

/// Counters that may come out of order: as many as a window of 64 bits holds.
const WINDOW: u32 = 64;

/// Both directions of a link.
#[derive(Debug, Clone)]
pub(in crate::node) struct Tokens {
    /// The token that the peer gave us: what we send under.
    theirs: [u8; 8],
    /// The token that we gave the peer: what it sends under.
    ours: [u8; 8],
    sent: u32,
    highest: u32,
    /// Bit n: `highest - n` has come.
    window: u64,
}

impl Tokens {
    /// For a fresh pair of tokens; counters start at 1.
    pub(in crate::node) fn new(ours: [u8; 8], theirs: [u8; 8]) -> Self {
        Self {
            theirs,
            ours,
            sent: 0,
            highest: 0,
            window: 0,
        }
    }

    /// The next to send under. After 2^32-1 packets (at 100 a second: 497 days) the peer will drop ours, the link
    /// ends for silence and is made anew.
    pub(in crate::node) fn next(&mut self) -> TokenCounter {
        self.sent = self.sent.saturating_add(1);
        TokenCounter {
            token: self.theirs,
            counter: self.sent,
        }
    }

    /// The token that the peer sends under.
    pub(in crate::node) fn ours(&self) -> &[u8; 8] {
        &self.ours
    }

    /// The token that we send under.
    pub(in crate::node) fn theirs(&self) -> &[u8; 8] {
        &self.theirs
    }

    /// Whether that is the token that we send under.
    pub(in crate::node) fn sends_under(&self, token: &[u8; 8]) -> bool {
        self.theirs == *token
    }

    /// Whether this came from the peer to us, for the first time. Takes it as come.
    pub(in crate::node) fn try_accept(&mut self, t: &TokenCounter) -> bool {
        if t.token != self.ours || t.counter == 0 {
            return false;
        }
        if t.counter > self.highest {
            let ahead = t.counter - self.highest;
            self.window = if ahead >= WINDOW { 0 } else { self.window << ahead };
            self.window |= 1;
            self.highest = t.counter;
            return true;
        }
        let behind = self.highest - t.counter;
        if behind >= WINDOW || self.window & (1 << behind) != 0 {
            return false;
        }
        self.window |= 1 << behind;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_is_taken_once_within_the_window() {
        let mut tokens = Tokens::new([1; 8], [2; 8]);
        let mut take = |counter| {
            tokens.try_accept(&TokenCounter {
                token: [1; 8],
                counter,
            })
        };
        assert!(!take(0), "counters start at 1");
        assert!(take(1) && take(3) && take(2));
        assert!(!take(1) && !take(2) && !take(3), "replayed");
        assert!(take(100));
        assert!(take(37) && !take(36), "64 back and no further");
        assert!(take(u32::MAX) && !take(100));
    }

    #[test]
    fn a_reflected_packet_never_fits() {
        let mut tokens = Tokens::new([1; 8], [2; 8]);
        let own = tokens.next();
        assert!(
            !tokens.try_accept(&own),
            "it bears the token that the peer gave us"
        );
    }
}
