//! What we say ourselves, at the pace that the chat allows: messages that wait for a first link or for their turn, and
//! those that a link has refused as too fast.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::bucket::{Bucket, Rate};
use super::cache::Kept;
use super::{Kind, Node, NodeEvent};
use crate::id::{ClientId, MessageId};
use crate::wire::{Body, Slow};

/// Own messages that wait. A guess: more than anybody types while cut off; some 900 bytes each at most.
const MAX_WAITING: usize = 256;

/// Own messages kept, should a link refuse them. A guess: twice what may be said at once.
const MAX_SENT: usize = 64;

/// Messages to be said again. A guess: a few of those, to each of a dozen links.
const MAX_REPEATS: usize = 256;

/// Times that one message is said again to one link. A guess: whoever refuses it for ever costs us little.
const MAX_TRIES: u8 = 3;

/// The longest that a link can have us wait with a message that it refused. A guess: doors that let one speak more
/// seldom than once a minute are rare, and other links pass it on meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An own message or a part of one, in the bytes to be sealed for each link.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) id: MessageId,
    /// The session in which it is said, and under which number.
    pub(super) client_id: ClientId,
    pub(super) number: u32,
    pub(super) plain: Vec<u8>,
    /// The message that it is, or of which it is a part.
    message: MessageId,
    /// The message is out when this is: of a long one its last part.
    is_last: bool,
}

/// A message that a link has refused.
#[derive(Debug)]
struct Repeat {
    message: Own,
    link: ClientId,
    at: Duration,
}

/// Own words that are not out yet.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Own>,
    /// What we may say yet, by the same rule that our links go by; it begins with a full one.
    messages: Option<Bucket>,
    others: Option<Bucket>,
    /// A link has refused something: the next goes out then.
    not_before: Duration,
    sent: VecDeque<Own>,
    /// Own messages that all links have refused too often, in their parts, at most [`MAX_SENT`].
    failed: VecDeque<Own>,
    repeats: Vec<Repeat>,
    /// How often each link has refused what: ids are of `sent`.
    refusals: VecDeque<(MessageId, ClientId, u8)>,
    /// A name or status that waits for its turn: whichever we have then.
    owes_name: bool,
    owes_status: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            messages: None,
            others: None,
            not_before: Duration::ZERO,
            sent: VecDeque::new(),
            failed: VecDeque::new(),
            repeats: Vec::new(),
            refusals: VecDeque::new(),
            owes_name: false,
            owes_status: false,
        }
    }
}

impl Outbox {
    /// Whether anything of an own message has yet to go out.
    pub(super) fn is_waiting(&self, message: &MessageId) -> bool {
        self.waiting.iter().any(|own| own.message == *message)
    }

    /// How long until the last of those that wait can go.
    fn wait_of_last(&self, rate: Rate, now: Duration) -> Duration {
        let turn = self.messages.map_or(Duration::ZERO, |bucket| {
            bucket.wait_for(self.waiting.len() as f64, rate, now)
        });
        turn.max(self.not_before.saturating_sub(now))
    }

    /// Notes that a link refused something; false once it has done so too often.
    fn is_refused_again(&mut self, id: MessageId, link: ClientId) -> bool {
        let known = self
            .refusals
            .iter_mut()
            .find(|(of, by, _)| (*of, *by) == (id, link));
        match known {
            Some((_, _, times)) => {
                *times = times.saturating_add(1);
                *times <= MAX_TRIES
            }
            None => {
                if self.refusals.len() >= MAX_REPEATS {
                    self.refusals.pop_front();
                }
                self.refusals.push_back((id, link, 1));
                true
            }
        }
    }
}

impl Node {
    /// Whether one more message of so many bytes can be said: not while very many wait.
    pub fn has_room_to_say(&self, text_len: usize) -> bool {
        self.outbox.waiting.len() + super::parts::parts_at_most(text_len) <= MAX_WAITING
    }

    /// Sends an own message, in its parts (id, number, packet), over all links, once there is one and it is its turn.
    pub(super) fn deliver(&mut self, id: MessageId, parts: Vec<(MessageId, u32, Vec<u8>)>) {
        let last = parts.len().saturating_sub(1);
        for (index, (part, number, plain)) in parts.into_iter().enumerate() {
            self.outbox.waiting.push_back(Own {
                id: part,
                client_id: self.client_id,
                number,
                plain,
                message: id,
                is_last: index == last,
            });
        }
        self.empty_outbox();
        if self.outbox.waiting.is_empty() {
            return;
        }
        self.emit(NodeEvent::Delivery { id, links: 0 });
        if !self.links.is_empty() {
            let wait = self.outbox.wait_of_last(self.message_rate(), self.now.elapsed);
            self.emit(NodeEvent::Slow { wait });
        }
    }

    /// Sends what waited and may go now.
    pub(super) fn empty_outbox(&mut self) {
        let now = self.now.elapsed;
        let rate = self.message_rate();
        self.say_refused_again();
        while !self.links.is_empty() && !self.outbox.waiting.is_empty() && self.is_our_turn(rate, now) {
            let Some(message) = self.outbox.waiting.pop_front() else {
                break;
            };
            let links = self.send_own(&message);
            if message.is_last {
                let id = message.message;
                self.emit(NodeEvent::Delivery { id, links });
                self.report_reach(&id);
            }
            if self.outbox.sent.len() >= MAX_SENT {
                self.outbox.sent.pop_front();
            }
            self.outbox.sent.push_back(message);
        }
        self.tell_owed();
        if let Some(at) = self.outbox_due() {
            self.next_tick = self.next_tick.min(at);
        }
    }

    fn send_own(&mut self, message: &Own) -> u32 {
        if let Kind::Classic(_) = self.kind {
            return self.send_to_links(&message.plain, None);
        }
        let kept = Kept {
            id: message.id,
            client_id: message.client_id,
            number: message.number,
            at: self.now.elapsed,
            plain: message.plain.clone(),
        };
        self.came_by(message.id, None);
        self.spread_packet(kept, None)
    }

    /// Takes one of what we may say now. In a classic chat there is no such rule.
    fn is_our_turn(&mut self, rate: Rate, now: Duration) -> bool {
        if let Kind::Classic(_) = self.kind {
            return true;
        }
        let outbox = &mut self.outbox;
        now >= outbox.not_before
            && outbox
                .messages
                .get_or_insert_with(|| Bucket::full(rate, now))
                .take(rate, now)
    }

    /// When something in the outbox is due.
    pub(super) fn outbox_due(&self) -> Option<Duration> {
        if self.links.is_empty() {
            return None;
        }
        let now = self.now.elapsed;
        let outbox = &self.outbox;
        let turn = outbox.messages.filter(|_| !outbox.waiting.is_empty());
        let message = turn.map(|bucket| {
            let wait = bucket.wait_for(1.0, self.message_rate(), now);
            outbox.not_before.max(now + wait)
        });
        let other = outbox.others.filter(|_| outbox.owes_name || outbox.owes_status);
        let other = other.map(|bucket| now + bucket.wait_for(1.0, self.rate_of(&Body::Ping), now));
        let repeat = outbox.repeats.iter().map(|repeat| repeat.at).min();
        let due = [message, other, repeat].into_iter().flatten().min()?;
        // Never at once: what is due now is done, up to the rounding of the buckets.
        Some(due.max(now + Duration::from_millis(1)))
    }

    /// Whether something other than a message may be said now. A name or status is said later if not; who is gone or
    /// there is told by others as well.
    pub(super) fn may_tell(&mut self, body: &Body) -> bool {
        let now = self.now.elapsed;
        let rate = self.rate_of(body);
        let outbox = &mut self.outbox;
        let may = matches!(body, Body::Quit)
            || outbox
                .others
                .get_or_insert_with(|| Bucket::full(rate, now))
                .take(rate, now);
        match body {
            Body::Name(_) => outbox.owes_name = !may,
            Body::Status(_) => outbox.owes_status = !may,
            _ => {}
        }
        if !may {
            self.wake_soon();
        }
        may
    }

    fn tell_owed(&mut self) {
        if self.outbox.owes_name {
            self.tell_name();
        }
        if self.outbox.owes_status {
            self.tell_signed(Body::Status(self.status), false);
        }
    }

    /// A link refused something of ours as too fast. It is said to that link again, after what it asks for; and what
    /// waits in the outbox goes on no faster than it may in the long run, so that its order is kept.
    pub(super) fn handle_slow(&mut self, from: SocketAddr, sender: ClientId, slow: &Slow) {
        if !self.accept_token(from, sender, &slow.t) {
            return;
        }
        let now = self.now.elapsed;
        let rate = self.message_rate();
        let outbox = &mut self.outbox;
        let sent = outbox.sent.iter().find(|own| own.id.0[..16] == slow.refused);
        let Some(message) = sent.cloned() else {
            return self.drop_packet("unasked");
        };
        let is_waiting = outbox
            .repeats
            .iter()
            .any(|repeat| repeat.link == sender && repeat.message.id == message.id);
        if is_waiting || outbox.repeats.len() >= MAX_REPEATS || !outbox.is_refused_again(message.id, sender) {
            self.drop_packet("refused_too_often");
            return self.look_for_failure(message.message, message.id);
        }
        let wait = Duration::from_millis(slow.wait_ms.into()).min(LONGEST_WAIT);
        outbox.repeats.push(Repeat {
            message,
            link: sender,
            at: now + wait,
        });
        // No link can slow us down below what the rule is.
        let pause = wait.min(Duration::try_from_secs_f64(1.0 / rate.per_second).unwrap_or(LONGEST_WAIT));
        let was_slow = outbox.not_before > now;
        outbox.not_before = outbox.not_before.max(now + pause);
        if !was_slow {
            self.emit(NodeEvent::Slow { wait });
        }
        if let Some(at) = self.outbox_due() {
            self.next_tick = self.next_tick.min(at);
        }
    }

    /// A message has failed when all links have refused a part of it as often as they may.
    fn look_for_failure(&mut self, message: MessageId, part: MessageId) {
        let outbox = &mut self.outbox;
        let has_given_up = |link: &ClientId| {
            let mut refusals = outbox.refusals.iter();
            refusals.any(|(of, by, times)| (of, by) == (&part, link) && *times > MAX_TRIES)
        };
        if !self.links.keys().all(has_given_up) || outbox.failed.iter().any(|own| own.message == message) {
            return;
        }
        let parts = outbox.sent.iter().filter(|own| own.message == message).cloned();
        let parts: Vec<Own> = parts.collect();
        outbox.failed.extend(parts);
        while outbox.failed.len() > MAX_SENT {
            outbox.failed.pop_front();
        }
        self.emit(NodeEvent::DeliveryFailed { id: message });
    }

    /// Says a message again that has failed; nothing happens with any other.
    pub(super) fn resend(&mut self, id: MessageId) {
        let (again, others): (VecDeque<Own>, VecDeque<Own>) = std::mem::take(&mut self.outbox.failed)
            .into_iter()
            .partition(|own| own.message == id);
        self.outbox.failed = others;
        if again.is_empty() {
            return;
        }
        let outbox = &mut self.outbox;
        outbox
            .refusals
            .retain(|(of, ..)| !again.iter().any(|own| own.id == *of));
        outbox.sent.retain(|own| own.message != id);
        outbox.waiting.extend(again);
        self.empty_outbox();
        if self.outbox.is_waiting(&id) {
            self.emit(NodeEvent::Delivery { id, links: 0 });
        }
    }

    fn say_refused_again(&mut self) {
        let now = self.now.elapsed;
        if self.outbox.repeats.iter().all(|repeat| repeat.at > now) {
            return;
        }
        let (due, later): (Vec<Repeat>, Vec<Repeat>) = std::mem::take(&mut self.outbox.repeats)
            .into_iter()
            .partition(|repeat| repeat.at <= now);
        self.outbox.repeats = later;
        for Repeat { message, link, .. } in due {
            match self.links.get(&link).map(|link| link.address) {
                Some(address) => self.send_plain(address, link, &message.plain),
                // Whether others have taken it is not known.
                None => {
                    self.send_to_links(&message.plain, None);
                }
            }
        }
    }
}
