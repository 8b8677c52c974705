//! What we say ourselves, at the pace that the chat allows: messages that wait for a first link or for their turn, and
//! those that a link has refused as too fast.

use std::collections::VecDeque;
use std::time::Duration;

use super::cache::Kept;
use super::metering::{message_rate, rate_of};
use super::{Gossip, Overlay};
use crate::id::{ClientId, MessageId};
use crate::node::NodeEvent;
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::Link;
use crate::node::rights::Rights;
use crate::wire::{Body, MeterKind, Slow};

/// Own messages that wait. A guess: more than anybody types while cut off; some 900 bytes each at most.
const MAX_WAITING: usize = 256;

/// Own messages kept, should a link refuse them. A guess: twice what may be said at once.
const MAX_SENT: usize = 64;

/// Messages to be said again. A guess: a few of those, to each of a dozen links.
const MAX_REPEATS: usize = 256;

/// Times that one message is said again to one link. A guess: who refuses it for ever costs us little.
const MAX_TRIES: u8 = 3;

/// The longest that a link can have us wait with a message that it refused. A guess: doors that let one speak more
/// seldom than once a minute are rare, and other links pass it on meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An own message or a fragment of one, in the bytes to be sealed for each link.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) id: MessageId,
    /// The session in which it is said, and under which number.
    pub(super) client_id: ClientId,
    pub(super) number: u32,
    pub(super) plain: Vec<u8>,
    /// The message that it is, or of which it is a fragment.
    message: MessageId,
    /// The message is out when this is: of a long one its last fragment.
    is_last: bool,
}

/// A message that a link has refused.
#[derive(Debug)]
struct Repeat {
    own: Own,
    link: ClientId,
    at: Duration,
}

/// Own words that are not out yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Own>,
    /// What we may say yet, by the same rule that our links go by; it begins with a full one.
    messages: Option<Bucket>,
    others: Option<Bucket>,
    /// A link has refused something: the next goes out then.
    not_before: Duration,
    sent: VecDeque<Own>,
    /// Own messages that all links have refused too often, in their fragments, at most [`MAX_SENT`].
    failed: VecDeque<Own>,
    repeats: Vec<Repeat>,
    /// How often each link has refused what: ids are of `sent`.
    refusals: VecDeque<(MessageId, ClientId, u8)>,
    /// A name or status that waits for its turn: whichever we have then.
    owes_name: bool,
    owes_status: bool,
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

    /// Whether so many more can wait.
    pub(super) fn has_room_for(&self, count: usize) -> bool {
        self.waiting.len() + count <= MAX_WAITING
    }

    /// Takes one of what we may say now.
    fn try_take_turn(&mut self, rate: Rate, now: Duration) -> bool {
        now >= self.not_before && try_take(&mut self.messages, rate, now)
    }

    /// Notes that a link refused something; false once it has done so too often.
    fn note_refused(&mut self, id: MessageId, link: ClientId) -> bool {
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

impl Gossip {
    /// Sends an own message, in its fragments (id, number, packet), over all links, once there is one and it is its turn.
    pub(super) fn deliver(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
        id: MessageId,
        fragments: Vec<(MessageId, u32, Vec<u8>)>,
    ) {
        let last = fragments.len().saturating_sub(1);
        for (index, (fragment, number, plain)) in fragments.into_iter().enumerate() {
            self.outbox.waiting.push_back(Own {
                id: fragment,
                client_id: core.client_id(),
                number,
                plain,
                message: id,
                is_last: index == last,
            });
        }
        self.empty_outbox(core, overlay, members, rights);
        if self.outbox.waiting.is_empty() {
            return;
        }
        core.emit(NodeEvent::Delivery { id, links: 0 });
        if overlay.has_links() {
            let wait = self.outbox.wait_of_last(message_rate(rights), core.now());
            core.emit(NodeEvent::Slow { wait });
        }
    }

    /// Sends what waited and may go now.
    pub(in crate::node) fn empty_outbox(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
    ) {
        let now = core.now();
        let rate = message_rate(rights);
        self.say_refused_again(core, overlay);
        while overlay.has_links()
            && !self.outbox.waiting.is_empty()
            && self.outbox.try_take_turn(rate, now)
            && let Some(own) = self.outbox.waiting.pop_front()
        {
            let links = self.send_own(core, overlay, members, &own);
            if own.is_last {
                let id = own.message;
                core.emit(NodeEvent::Delivery { id, links });
                self.report_reach(core, members, &id);
            }
            if self.outbox.sent.len() >= MAX_SENT {
                self.outbox.sent.pop_front();
            }
            self.outbox.sent.push_back(own);
        }
        if self.outbox.owes_name {
            self.tell_name(core, overlay, members, rights);
        }
        if self.outbox.owes_status {
            let status = Body::Status(core.status());
            self.tell(core, overlay, members, rights, status, false);
        }
        self.wake_for_outbox(core, overlay, rights);
    }

    fn send_own(&mut self, core: &mut Core, overlay: &Overlay, members: &Members, own: &Own) -> u32 {
        let kept = Kept {
            id: own.id,
            client_id: own.client_id,
            number: own.number,
            at: core.now(),
            plain: own.plain.clone(),
        };
        self.came_by(core, members, own.id, None);
        self.push_packet(core, overlay, members, kept, None)
    }

    /// Looks at the outbox again when something in it is due.
    fn wake_for_outbox(&self, core: &mut Core, overlay: &Overlay, rights: &Rights) {
        if !overlay.has_links() {
            return;
        }
        let now = core.now();
        let outbox = &self.outbox;
        let turn = outbox.messages.filter(|_| !outbox.waiting.is_empty());
        let message = turn.map(|bucket| {
            let wait = bucket.wait_for(1.0, message_rate(rights), now);
            outbox.not_before.max(now + wait)
        });
        let other = outbox.others.filter(|_| outbox.owes_name || outbox.owes_status);
        let other = other.map(|bucket| now + bucket.wait_for(1.0, rate_of(rights, &Body::Ping), now));
        let repeat = outbox.repeats.iter().map(|repeat| repeat.at).min();
        if let Some(due) = [message, other, repeat].into_iter().flatten().min() {
            // Never at once: what is due now is done, up to the rounding of the buckets.
            core.wake_at(due.max(now + Duration::from_millis(1)));
        }
    }

    /// Whether something other than a message may be said now. A name or status is said later if not; who is gone or
    /// there is told by others as well.
    pub(super) fn try_take_telling(&mut self, core: &mut Core, rights: &Rights, body: &Body) -> bool {
        let rate = rate_of(rights, body);
        let outbox = &mut self.outbox;
        let is_unmetered = body.rules().meter == MeterKind::Unmetered;
        let may = is_unmetered || try_take(&mut outbox.others, rate, core.now());
        match body {
            Body::Name(_) => outbox.owes_name = !may,
            Body::Status(_) => outbox.owes_status = !may,
            _ => {}
        }
        if !may {
            core.wake_soon();
        }
        may
    }

    /// A link refused something of ours as too fast. It is said to that link again, after what it asks for; and what
    /// waits in the outbox goes on no faster than it may in the long run, so that its order is kept.
    pub(in crate::node) fn on_slow(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        rights: &Rights,
        sender: ClientId,
        slow: &Slow,
    ) {
        let now = core.now();
        let rate = message_rate(rights);
        let outbox = &mut self.outbox;
        let sent = outbox.sent.iter().find(|own| own.id.0[..16] == slow.refused);
        let Some(own) = sent.cloned() else {
            return core.drop_packet("unasked");
        };
        let is_waiting = outbox
            .repeats
            .iter()
            .any(|repeat| repeat.link == sender && repeat.own.id == own.id);
        if is_waiting || outbox.repeats.len() >= MAX_REPEATS || !outbox.note_refused(own.id, sender) {
            core.drop_packet("refused_too_often");
            return self.look_for_failure(core, overlay, own.message, own.id);
        }
        let wait = Duration::from_millis(slow.wait_ms.into()).min(LONGEST_WAIT);
        outbox.repeats.push(Repeat {
            own,
            link: sender,
            at: now + wait,
        });
        // No link can slow us down below what the rule is.
        let pause = wait.min(Duration::try_from_secs_f64(1.0 / rate.per_second).unwrap_or(LONGEST_WAIT));
        let was_slow = outbox.not_before > now;
        outbox.not_before = outbox.not_before.max(now + pause);
        if !was_slow {
            core.emit(NodeEvent::Slow { wait });
        }
        self.wake_for_outbox(core, overlay, rights);
    }

    /// A message has failed when all links have refused a fragment of it as often as they may.
    fn look_for_failure(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        message: MessageId,
        fragment: MessageId,
    ) {
        let outbox = &mut self.outbox;
        let has_given_up = |link: &ClientId| {
            let mut refusals = outbox.refusals.iter();
            refusals.any(|(of, by, times)| (of, by) == (&fragment, link) && *times > MAX_TRIES)
        };
        if !overlay.linked().all(has_given_up) || outbox.failed.iter().any(|own| own.message == message) {
            return;
        }
        let fragments = outbox.sent.iter().filter(|own| own.message == message).cloned();
        let fragments: Vec<Own> = fragments.collect();
        outbox.failed.extend(fragments);
        while outbox.failed.len() > MAX_SENT {
            outbox.failed.pop_front();
        }
        core.emit(NodeEvent::DeliveryFailed { id: message });
    }

    /// Says a message again that has failed; nothing happens with any other.
    pub(in crate::node) fn resend(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
        id: MessageId,
    ) {
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
        self.empty_outbox(core, overlay, members, rights);
        if self.outbox.is_waiting(&id) {
            core.emit(NodeEvent::Delivery { id, links: 0 });
        }
    }

    fn say_refused_again(&mut self, core: &mut Core, overlay: &Overlay) {
        let now = core.now();
        if self.outbox.repeats.iter().all(|repeat| repeat.at > now) {
            return;
        }
        let (due, later): (Vec<Repeat>, Vec<Repeat>) = std::mem::take(&mut self.outbox.repeats)
            .into_iter()
            .partition(|repeat| repeat.at <= now);
        self.outbox.repeats = later;
        for Repeat { own, link, .. } in due {
            match overlay.link(&link).map(Link::address) {
                Some(address) => core.send_plain(address, link, &own.plain),
                // Whether others have taken it is not known.
                None => {
                    Self::send_to(core, overlay, &own.plain, |_| true);
                }
            }
        }
    }
}
