//! Making, handing out and listing invites.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::actor::{Actor, Errand, random};
use super::chat::Chat;
use super::clock::timestamp;
use super::failure::Failure;
use super::invite_file::{file_failed, write_invite};
use super::network::LocalAddresses;
use crate::crypto::SigningKey;
use crate::facts::{Action, Admitted, State};
use crate::id::{ChatId, InviteId};
use crate::invite::{self, Charter, InviteCertificate, InviteKey, MAX_FILE_ADDRESSES, SeenAddress};
use crate::model::{ChatEvent, ChatKind, Code, InviteInfo, InviteUser, Rights, Tag};
use crate::store::{InviteRecord, Write};

/// The last moment that an invite can name, in ms since 1970: 6 bytes hold it.
const LAST_UNTIL_MS: u64 = (1 << 48) - 1;

/// What an invite should allow.
pub(super) struct InviteOrder {
    /// `None` for one member, or in a public chat for the link.
    pub(super) uses: Option<u16>,
    /// Seconds from now; `None` until it is closed.
    pub(super) expires_in: Option<u64>,
    pub(super) rights: Rights,
}

impl Actor {
    /// Makes an invite, or hands out a public chat's link, and writes it to a file if there is a path.
    pub(super) fn export_invite(
        &mut self,
        id: ChatId,
        path: Option<PathBuf>,
        order: &InviteOrder,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let chat = self.chat(id)?;
        let permit = self.errand_permit()?;
        let key = if order.is_plain() && chat.record.kind == ChatKind::Public {
            chat.link(self.network.addresses(), self.clock.now().unix_ms)?
        } else {
            self.make_invite(id, order)?
        };
        let (text, link) = (key.to_armour(), key.to_link());
        let event = ChatEvent::InviteExported {
            invite: key.id(),
            path: path.clone(),
            text: text.clone(),
            link,
        };
        let Some(path) = path else {
            self.outlet.report_in(id, event, tag);
            return Ok(());
        };
        let own_files = self.outlet.store.own_files().clone();
        self.send_for(permit, async move {
            let written = tokio::task::spawn_blocking(move || write_invite(&path, &text, &own_files)).await;
            let result = written.unwrap_or_else(|_| Err(file_failed("written", "the work was broken off")));
            Errand::Answer {
                command: "export_invite",
                chat: Some(id),
                tag,
                result: result.map(|()| Box::new(event.of(id))),
            }
        });
        Ok(())
    }

    /// Reports the invites of a chat.
    pub(super) fn tell_invites(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        let chat = self.chat(id)?;
        if chat.is_classic() {
            return Err(no_invites());
        }
        let invites = chat.invites();
        self.outlet.report_in(id, ChatEvent::Invites { invites }, tag);
        Ok(())
    }

    /// Makes an invite with slots, and keeps what is needed of it.
    fn make_invite(&mut self, id: ChatId, order: &InviteOrder) -> Result<InviteKey, Failure> {
        let (now, local) = (self.clock.now(), self.network.addresses());
        let until_ms = order.expires_in.map_or(0, |secs| {
            now.unix_ms
                .saturating_add(secs.saturating_mul(1000))
                .clamp(1, LAST_UNTIL_MS)
        });
        let uses = order.uses.unwrap_or(1);
        let chat = self.chat_mut(id)?;
        let key = chat.issue_invite(uses, until_ms, order.rights, local, now.unix_ms)?;
        let invite = InviteRecord {
            invite: key.id(),
            number: key.certificate.number,
            certificate: key.certificate.encode(),
            uses,
            until_ms,
            created_ms: now.unix_ms,
        };
        chat.record.next_invite = invite.number.saturating_add(1);
        chat.record.invites.push(invite.clone());
        chat.certificates.insert(invite.invite, key.certificate.clone());
        self.outlet.keep(Write::AddInvite { chat: id, invite });
        Ok(key)
    }
}

impl InviteOrder {
    /// Whether it sets nothing.
    fn is_plain(&self) -> bool {
        self.uses.is_none() && self.expires_in.is_none() && self.rights == Rights::Member
    }
}

impl Chat {
    fn issue_invite(
        &self,
        uses: u16,
        until_ms: u64,
        rights: Rights,
        local: LocalAddresses,
        seen_ms: u64,
    ) -> Result<InviteKey, Failure> {
        if self.is_classic() {
            return Err(no_invites());
        }
        self.may(Action::Invite)?;
        let secrets = &self.record.secrets;
        if secrets.chat_seed.is_none() {
            return self.issue_in_office(uses, until_ms, rights, local, seen_ms);
        }
        let (Some(chat_seed), Some(rendezvous), Some(charter)) =
            (&secrets.chat_seed, &secrets.rendezvous, &self.record.charter)
        else {
            return Err(Failure::new(
                Code::NotAllowed,
                "Only the founder of a chat and its moderators can invite to it. Ask one of them for an invite.",
            ));
        };
        let charter = Charter::decode(charter)
            .map_err(|_| Failure::new(Code::Damaged, "What is stored of this chat is damaged."))?;
        Ok(InviteKey::issue(
            &SigningKey::from_seed(**chat_seed),
            &charter,
            **rendezvous,
            self.record.next_invite,
            certified(rights),
            uses,
            until_ms,
            self.seen_addresses(self.own_addresses(local), seen_ms),
            &mut ChaCha20Rng::from_seed(random()),
        ))
    }

    /// Issues an invite as a moderator, by the founder's grant.
    fn issue_in_office(
        &self,
        uses: u16,
        until_ms: u64,
        rights: Rights,
        local: LocalAddresses,
        seen_ms: u64,
    ) -> Result<InviteKey, Failure> {
        if uses == 0 {
            return Err(Failure::new(
                Code::NotAllowed,
                "A moderator's invite is for a number of people: say how many it lets in.",
            ));
        }
        let secrets = &self.record.secrets;
        let (Some(member_seed), Some(rendezvous), Some(office)) =
            (&secrets.member_seed, &secrets.rendezvous, self.node.own_office())
        else {
            return Err(Failure::new(
                Code::NotAllowed,
                "Only the founder of a chat and its moderators can invite to it. Ask one of them for an invite.",
            ));
        };
        Ok(InviteKey::issue_in_office(
            &SigningKey::from_seed(**member_seed),
            office,
            self.record.chat,
            **rendezvous,
            self.record.next_invite.max(1),
            certified(rights),
            uses,
            until_ms,
            self.seen_addresses(self.own_addresses(local), seen_ms),
            &mut ChaCha20Rng::from_seed(random()),
        ))
    }

    /// The link of a public chat, with addresses where members are now.
    fn link(&self, local: LocalAddresses, seen_ms: u64) -> Result<InviteKey, Failure> {
        let Some(mut key) = self.link_key() else {
            return Err(Failure::new(
                Code::NotAllowed,
                "You came by an invite of your own, so you don't have the link of this chat. Ask somebody who came by \
                 it.",
            ));
        };
        self.may(Action::Read)?;
        if self.is_closed(&key.id()) {
            return Err(Failure::new(
                Code::Closed,
                "The link of this chat was closed: nobody new comes in by it. Ask the founder for an invite.",
            ));
        }
        key.charter = match &self.record.charter {
            Some(bytes) => Charter::decode(bytes).ok(),
            None => None,
        };
        let links = self.node.links().into_iter().map(|link| link.address);
        key.addresses = self.seen_addresses(in_turns(self.own_addresses(local), links.collect()), seen_ms);
        Ok(key)
    }

    fn seen_addresses(&self, addresses: Vec<SocketAddr>, seen_ms: u64) -> Vec<SeenAddress> {
        let seen = addresses.into_iter().take(MAX_FILE_ADDRESSES);
        seen.map(|address| SeenAddress { address, seen_ms }).collect()
    }

    /// Whether an invite was made here, is in the chat's link, or somebody is known to have joined with it.
    pub(super) fn knows_invite(&self, invite: &InviteId) -> bool {
        self.certificates.contains_key(invite) || self.link_key().is_some_and(|key| key.id() == *invite)
    }

    /// The invites that are known here, the newest first: all for a user who may close them, otherwise the link alone.
    fn invites(&self) -> Vec<InviteInfo> {
        let link = self.link_key().map(|key| key.certificate.clone());
        let link_id = link.as_ref().map(|certificate| certificate.invite);
        let mut known: BTreeMap<InviteId, InviteCertificate> = BTreeMap::new();
        if self.may(Action::CloseInvite).is_ok() {
            known.clone_from(&self.certificates);
        }
        known.extend(link.map(|certificate| (certificate.invite, certificate)));
        let mut users = self.users_by_invite(known.keys().copied().collect());
        let mut invites: Vec<InviteInfo> = known
            .into_values()
            .map(|certificate| InviteInfo {
                invite: certificate.invite,
                number: certificate.number,
                rights: match certificate.rights {
                    invite::Rights::Member => Rights::Member,
                    invite::Rights::Observer => Rights::Observer,
                },
                uses: certificate.slots,
                used_by: users.remove(&certificate.invite).unwrap_or_default(),
                created_at: self.created_ms(&certificate.invite).map(timestamp),
                expires_at: (certificate.until_ms != 0).then(|| timestamp(certificate.until_ms)),
                closed: self.is_over(&certificate),
                public_link: link_id == Some(certificate.invite),
            })
            .collect();
        invites.sort_by_key(|invite| (std::cmp::Reverse(invite.number), invite.invite));
        invites
    }

    /// Whether nobody new can join with an invite: it was closed, or its issuer is no longer a moderator.
    fn is_over(&self, certificate: &InviteCertificate) -> bool {
        let office = certificate
            .office
            .as_ref()
            .map(|office| (office.moderator, office.seq));
        let has_ended = |state: &State| state.has_office_ended(office);
        self.is_closed(&certificate.invite) || self.node.state().is_some_and(has_ended)
    }

    fn created_ms(&self, invite: &InviteId) -> Option<u64> {
        let made = self.record.invites.iter().find(|made| made.invite == *invite)?;
        Some(made.created_ms)
    }

    fn users_by_invite(&self, of: BTreeSet<InviteId>) -> BTreeMap<InviteId, Vec<InviteUser>> {
        let mut users: BTreeMap<InviteId, Vec<InviteUser>> = BTreeMap::new();
        for admitted in self.node.all_admitted() {
            if let Some((invite, slot)) = admitted.by
                && of.contains(&invite)
            {
                let user = self.invite_user(&admitted, invite, slot);
                users.entry(invite).or_default().push(user);
            }
        }
        for users in users.values_mut() {
            users.sort_by(|a, b| (&a.nick, a.member).cmp(&(&b.nick, b.member)));
        }
        users
    }

    fn invite_user(&self, admitted: &Admitted, invite: InviteId, slot: Option<u16>) -> InviteUser {
        let state = self.node.state();
        InviteUser {
            member: admitted.member,
            nick: self.nick_of(&admitted.member),
            // Without slots, nobody can take a slot from somebody else.
            confirmed: slot.is_none_or(|slot| {
                state.is_some_and(|state| state.confirmed(&invite, slot) == Some(admitted.member))
            }),
        }
    }
}

/// One address of ours, one of the others', and so on, so that the few in a link lead to somebody even when we are away.
fn in_turns(own: Vec<SocketAddr>, others: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_here = own.iter().all(|address| address.ip().is_loopback());
    // Where only we can be reached by it, nobody else is.
    let mut others = others
        .into_iter()
        .filter(|address| is_here || !address.ip().is_loopback());
    let mut addresses = Vec::new();
    for address in own {
        addresses.push(address);
        addresses.extend(others.next());
    }
    addresses.extend(others);
    addresses
}

fn certified(rights: Rights) -> invite::Rights {
    match rights {
        Rights::Member => invite::Rights::Member,
        Rights::Observer => invite::Rights::Observer,
    }
}

fn no_invites() -> Failure {
    Failure::new(
        Code::NotAllowed,
        "A classic chat has no invites: tell the others your client_id and address, and admit theirs.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_others_too_who_can_be_reached() {
        let at = |ip: [u8; 4], port: u16| SocketAddr::from((ip, port));
        let own = || vec![at([192, 168, 1, 7], 1), at([203, 0, 113, 9], 1)];
        let others = || {
            vec![
                at([127, 0, 0, 1], 2),
                at([198, 51, 100, 1], 3),
                at([198, 51, 100, 2], 4),
            ]
        };
        let ports =
            |addresses: Vec<SocketAddr>| -> Vec<u16> { addresses.iter().map(SocketAddr::port).collect() };
        assert_eq!(ports(in_turns(own(), others())), [1, 3, 1, 4]);
        let here = vec![at([127, 0, 0, 1], 1)];
        assert_eq!(ports(in_turns(here, others())), [1, 2, 3, 4]);
        assert_eq!(ports(in_turns(Vec::new(), others())), [2, 3, 4]);
    }
}
