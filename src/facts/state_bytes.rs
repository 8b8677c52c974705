use super::{Role, State};
use crate::wire::saturated;

/// Of the form of [`State::to_bytes`].
const VERSION: u8 = 1;

const NOT_GRANTED: u8 = 255;

impl State {
    /// What holds now, in one form: members who have the same facts get the same bytes. The log is not in it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.chat.0);
        out.push(u8::from(self.is_public));
        out.extend_from_slice(&self.founder.0);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        self.write_roles(&mut out);
        self.write_bans(&mut out);
        self.write_topic(&mut out);
        self.write_invites(&mut out);
        out.extend_from_slice(&self.door.0.to_be_bytes());
        self.door.1.write(&mut out);
        out.extend_from_slice(&self.history_rule.0.to_be_bytes());
        out.extend_from_slice(&self.history_rule.1.code().to_be_bytes());
        self.write_forks(&mut out);
        out
    }

    fn write_roles(&self, out: &mut Vec<u8>) {
        let moderators = self.moderators();
        let mut named = moderators.clone();
        named.extend(self.granted.keys());
        write_count(named.len(), out);
        for member in &named {
            let (counter, granted) = self
                .granted
                .get(member)
                .map_or((0, NOT_GRANTED), |(counter, role)| (*counter, role.code()));
            let rank = if moderators.contains(member) {
                Role::Moderator
            } else {
                Role::Member
            };
            out.extend_from_slice(&member.0);
            out.extend_from_slice(&[rank.code(), granted]);
            out.extend_from_slice(&counter.to_be_bytes());
        }
    }

    fn write_bans(&self, out: &mut Vec<u8>) {
        write_count(self.bans.len(), out);
        for (id, ban) in &self.bans {
            let names = self
                .bans_of
                .get(&ban.ban.member)
                .is_some_and(|ids| ids.contains(id));
            out.extend_from_slice(&id.0);
            out.extend_from_slice(&ban.by.0);
            out.push(ban.role.code());
            out.extend_from_slice(&ban.epoch.to_be_bytes());
            out.extend_from_slice(&ban.at_ms.to_be_bytes());
            out.push(u8::from(names));
            let mut body = Vec::new();
            ban.ban.write(&mut body);
            out.extend_from_slice(&saturated(body.len(), u16::MAX).to_be_bytes());
            out.extend(body);
        }
    }

    fn write_topic(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_topic_locked));
        write_count(usize::from(self.topic.is_some()), out);
        if let Some(topic) = &self.topic {
            out.extend_from_slice(&topic.id.0);
            out.extend_from_slice(&topic.by.0);
            out.extend_from_slice(&topic.at_ms.to_be_bytes());
            out.extend_from_slice(&topic.counter.to_be_bytes());
            out.extend_from_slice(&saturated(topic.text.len(), u16::MAX).to_be_bytes());
            out.extend_from_slice(topic.text.as_bytes());
        }
    }

    fn write_invites(&self, out: &mut Vec<u8>) {
        write_count(self.closed.len(), out);
        for invite in &self.closed {
            out.extend_from_slice(&invite.0);
        }
        write_count(self.slots.len(), out);
        for ((invite, slot), member) in &self.slots {
            out.extend_from_slice(&invite.0);
            out.extend_from_slice(&slot.to_be_bytes());
            out.extend_from_slice(&member.0);
        }
    }

    fn write_forks(&self, out: &mut Vec<u8>) {
        write_count(self.forks.len(), out);
        for (member, session) in &self.forks {
            out.extend_from_slice(&member.0);
            out.extend_from_slice(&session.client_id.0);
            out.extend_from_slice(&session.number.to_be_bytes());
        }
        let forked: Vec<_> = self.forked_moderators().collect();
        write_count(forked.len(), out);
        for (member, seq) in forked {
            out.extend_from_slice(&member.0);
            out.extend_from_slice(&seq.to_be_bytes());
        }
    }
}

fn write_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&saturated(count, u32::MAX).to_be_bytes());
}
