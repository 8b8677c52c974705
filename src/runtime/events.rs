//! Turning a node's events into the model's, and keeping what has to be kept.

use std::net::SocketAddr;

use super::cause::{Cause, InFlight};
use super::chat::{Chat, status};
use super::clock::timestamp;
use super::failure::Failure;
use super::outlet::Outlet;
use super::reconnect::Target;
use crate::id::{ClientId, MemberId, MessageId};
use crate::invite::Charter;
use crate::model::{ChatEvent, Code, DeliveryState, Event, LeftWhy, Message, MessageBody};
use crate::node::{NodeEvent, NodeMessage, Now, Output, Refusal};
use crate::store::Write;

impl Chat {
    /// Carries out all outputs of the node. Call it after every [`Node::handle`](crate::node::Node::handle).
    pub(super) fn drain(&mut self, now: Now, cause: &mut Cause, outlet: &mut Outlet) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Transmit { to, bytes } => self.transmit(to, &bytes),
                Output::Look { ticket, query } => self.wants_look(ticket, query),
                Output::Event(event) => self.handle_event(event, now, cause, outlet),
            }
        }
    }

    fn handle_event(&mut self, event: NodeEvent, now: Now, cause: &mut Cause, outlet: &mut Outlet) {
        let chat = self.record.chat;
        match event {
            NodeEvent::Joined => self.joined(outlet),
            NodeEvent::Refused(refusal) => self.refused(refusal, outlet),
            NodeEvent::PeerLinked {
                client_id,
                member,
                address,
            } => {
                self.linked(client_id, address, now, outlet);
                let tag = self.take_connect_tag(&client_id);
                outlet.report_in(
                    chat,
                    ChatEvent::PeerLinked {
                        client_id,
                        member,
                        address,
                    },
                    tag,
                );
            }
            NodeEvent::PeerLost { client_id, member } => {
                self.reconnect.lost(now.elapsed);
                outlet.report_in(chat, ChatEvent::PeerLost { client_id, member }, None);
            }
            NodeEvent::MemberJoined {
                member,
                nick,
                status: number,
            } => {
                self.keep_nick(member, &nick, outlet);
                let (nick, role, status) = (self.nick_of(&member), self.role_of(&member), status(number));
                outlet.report_in(
                    chat,
                    ChatEvent::MemberJoined {
                        member,
                        nick,
                        role,
                        status,
                    },
                    None,
                );
            }
            NodeEvent::MemberLeft { member, quit } => {
                if quit && self.is_classic() {
                    // Their session is over: trying it again would bring back a ghost.
                    self.reconnect.forget(ClientId(member.0));
                }
                let why = match quit {
                    true => LeftWhy::Quit,
                    false if self.ban_of(member).is_some() => LeftWhy::Banned,
                    false => LeftWhy::Lost,
                };
                outlet.report_in(
                    chat,
                    ChatEvent::MemberLeft {
                        member,
                        nick: self.nick_of(&member),
                        why,
                    },
                    None,
                );
            }
            NodeEvent::NickChanged { member, nick } => {
                self.keep_nick(member, &nick, outlet);
                outlet.report_in(chat, ChatEvent::NickChanged { member, nick }, None);
            }
            NodeEvent::StatusChanged {
                member,
                status: number,
            } => {
                outlet.report_in(
                    chat,
                    ChatEvent::StatusChanged {
                        member,
                        status: status(number),
                    },
                    None,
                );
            }
            NodeEvent::TopicChanged { topic, locked, by } => {
                self.topic_changed(topic, locked, by, cause, outlet);
            }
            NodeEvent::Banned { .. }
            | NodeEvent::Unbanned { .. }
            | NodeEvent::RoleChanged { .. }
            | NodeEvent::DoorChanged { .. }
            | NodeEvent::HistoryRuleChanged { .. }
            | NodeEvent::InviteClosed { .. }
            | NodeEvent::FactsChanged { .. }
            | NodeEvent::Forked { .. }
            | NodeEvent::ModerationStale(_) => self.moderated(event, cause, outlet),
            NodeEvent::Slow { wait } => {
                let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
                outlet.report_in(chat, ChatEvent::Slow { wait_ms }, None);
            }
            NodeEvent::WorkAsked { bits } => self.work_asked(bits, outlet),
            NodeEvent::ClockOff { by_ms } => outlet.report_in(chat, ChatEvent::ClockOff { by_ms }, None),
            NodeEvent::Message(message) => self.said(message, cause, outlet),
            NodeEvent::Delivery { id, links } => {
                let state = if links > 0 {
                    DeliveryState::Sent
                } else {
                    DeliveryState::Waiting
                };
                self.delivered(id, state, links, cause, outlet);
            }
            NodeEvent::Reached { id, members, of } => outlet.report_in(
                chat,
                ChatEvent::Delivery {
                    id,
                    state: DeliveryState::Sent,
                    reached: members,
                    of,
                },
                None,
            ),
            NodeEvent::DeliveryFailed { id } => self.delivered(id, DeliveryState::Failed, 0, cause, outlet),
            NodeEvent::Part(part) => self.part_came(part, outlet),
            NodeEvent::HistoryHeld { since, is_whole } => self.history_held(since, is_whole, outlet),
            NodeEvent::HistoryProgress { fetched, done, more } => {
                self.history_progress(fetched, done, more, outlet);
            }
            NodeEvent::Admitted { member, chain } => {
                self.learn_certificate(&chain);
                outlet.keep(Write::AddMember {
                    chat,
                    member,
                    credential: chain,
                });
            }
            NodeEvent::Observed(address) => self.observed_at(address),
            NodeEvent::PeerHeardOf(address) => self.heard_of(address, now, outlet),
            NodeEvent::CharterLearned(charter) => self.charter_learned(charter, outlet),
            NodeEvent::CredentialChanged(credential) => {
                self.record.credential = Some(credential.clone());
                outlet.keep(Write::SetCredential { chat, credential });
            }
        }
    }

    /// A link is up for the first time ever: we are in. This is reported once, not at every start.
    fn joined(&mut self, outlet: &mut Outlet) {
        self.unreachable_at = None;
        self.work = None;
        if self.record.joined {
            return;
        }
        self.record.joined = true;
        // The link of a public chat is kept, to be passed on. Any other invite has done its duty.
        let keep_invite = self.link_key().is_some();
        if !keep_invite {
            self.record.secrets.invite = None;
        }
        let chat = self.record.chat;
        outlet.keep(Write::SetJoined { chat, keep_invite });
        outlet.report_in(chat, ChatEvent::Joined, self.join_tag.take());
    }

    /// Reported once, since every member that is asked may refuse us.
    fn refused(&mut self, refusal: Refusal, outlet: &mut Outlet) {
        if self.refusal.replace(refusal) == Some(refusal) {
            return;
        }
        self.unreachable_at = None;
        let chat = self.record.chat;
        let Failure { code, mut message } = refusal_sentence(refusal);
        if refusal == Refusal::Banned
            && let Some(sentence) = self.own_ban()
        {
            message = sentence;
        }
        outlet.report_in(
            chat,
            ChatEvent::JoinFailed { code, message },
            self.join_tag.take(),
        );
    }

    /// Reports once that nobody answered in time. We go on trying.
    pub(super) fn check_unreachable(&mut self, now: Now, outlet: &mut Outlet) {
        if self.unreachable_at.is_none_or(|at| at > now.elapsed) {
            return;
        }
        self.unreachable_at = None;
        // A node that asks for work has answered.
        if self.reconnect.is_linked() || self.work.is_some() {
            return;
        }
        let event = ChatEvent::JoinFailed { code: Code::Unreachable, message: "No member of this chat answers. Somebody of the chat has to be online and reachable; Throng \
                      keeps trying and comes in as soon as one is. Check your network, or ask for a new invite."
                .to_owned() };
        outlet.report_in(self.record.chat, event, self.join_tag.clone());
    }

    fn linked(&mut self, client_id: ClientId, address: SocketAddr, now: Now, outlet: &mut Outlet) {
        self.reconnect.linked();
        self.reconnect.add(Target {
            client_id: self.is_classic().then_some(client_id),
            ..Target::at(address)
        });
        if !self.is_classic() {
            outlet.keep(Write::SawPeer {
                chat: self.record.chat,
                address,
                at_ms: now.unix_ms,
            });
        }
    }

    /// A member is said to be there: kept at once, since the links that stand may be gone at the next start.
    pub(super) fn heard_of(&mut self, address: SocketAddr, now: Now, outlet: &mut Outlet) {
        self.reconnect.add_last(Target::said_to_be_at(address));
        outlet.keep(Write::HeardOfPeer {
            chat: self.record.chat,
            address,
            at_ms: now.unix_ms,
        });
    }

    fn keep_nick(&mut self, member: MemberId, nick: &str, outlet: &mut Outlet) {
        // In a classic chat the member is the session: at the next start nobody has that id.
        if self.learn_nick(member, nick) && !self.is_classic() {
            let chat = self.record.chat;
            outlet.keep(Write::SetMemberNick {
                chat,
                member,
                nick: nick.to_owned(),
            });
        }
    }

    fn topic_changed(
        &mut self,
        topic: String,
        locked: bool,
        by: MemberId,
        cause: &mut Cause,
        outlet: &mut Outlet,
    ) {
        let chat = self.record.chat;
        self.record.topic.clone_from(&topic);
        self.record.topic_by = Some(by);
        outlet.keep(Write::SetTopic {
            chat,
            topic: topic.clone(),
            by: Some(by),
        });
        let own = by == self.node.member();
        let tag = own.then(|| cause.take_answer(InFlight::Topic)).flatten();
        outlet.report_in(chat, ChatEvent::TopicChanged { topic, locked, by }, tag);
    }

    fn said(&mut self, said: NodeMessage, cause: &mut Cause, outlet: &mut Outlet) {
        // It is kept as waiting until it is known to be sent. Otherwise, if the program were killed in between, it would count
        // as sent. In a classic chat, where waiting messages are said anew, it would be said twice.
        let state = if said.history || said.signed.is_empty() {
            DeliveryState::Sent
        } else {
            DeliveryState::Waiting
        };
        let message = Message {
            chat: self.record.chat,
            member: said.member,
            nick: self.nick_of(&said.member),
            id: said.id,
            number: said.number,
            at: timestamp(said.at_ms),
            body: if said.action {
                MessageBody::Action
            } else {
                MessageBody::Message
            },
            text: said.text,
            own: said.own,
            history: said.history,
            delivery: said.own.then_some(state),
            place: said.place,
        };
        let tag = said.own.then(|| cause.take_answer(InFlight::Message)).flatten();
        let (client_id, signed) = (said.client_id, said.signed);
        let stored = message.clone();
        outlet.keep(match cause.again.take().filter(|_| said.own) {
            Some(id) => Write::SayAgain {
                id,
                message: stored,
                client_id,
                signed,
            },
            None => Write::AddMessage {
                message: stored,
                client_id,
                signed,
            },
        });
        outlet.report(Event::Message(message), tag);
    }

    /// An own message has got so far.
    fn delivered(
        &self,
        id: MessageId,
        state: DeliveryState,
        reached: u32,
        cause: &mut Cause,
        outlet: &mut Outlet,
    ) {
        let chat = self.record.chat;
        let there = self
            .node
            .members()
            .into_iter()
            .filter(|member| member.online && !member.own);
        let of = u32::try_from(there.count()).unwrap_or(u32::MAX);
        // A failed message is kept as waiting: after a restart the others fetch it.
        if state != DeliveryState::Failed {
            outlet.keep(Write::SetDelivery { chat, id, state });
        }
        let tag = cause.take_answer(InFlight::Delivery(id));
        outlet.report_in(
            chat,
            ChatEvent::Delivery {
                id,
                state,
                reached,
                of,
            },
            tag,
        );
    }

    fn charter_learned(&mut self, charter: Vec<u8>, outlet: &mut Outlet) {
        let Ok(decoded) = Charter::decode(&charter) else {
            return;
        };
        let chat = self.record.chat;
        self.record.charter = Some(charter.clone());
        self.record.name.clone_from(&decoded.name);
        outlet.keep(Write::SetCharter {
            chat,
            name: decoded.name,
            charter,
        });
        // The name was not known when the chat opened.
        outlet.report(self.opened(), None);
    }
}

/// The sentence for a user who is not let in.
fn refusal_sentence(refusal: Refusal) -> Failure {
    let (code, message) = match refusal {
        Refusal::Spent => (
            Code::Spent,
            "This invite has been used as often as it may be. Ask whoever gave it to you for a new one.",
        ),
        Refusal::Expired => (
            Code::Expired,
            "This invite's time is over. Ask whoever gave it to you for a new one.",
        ),
        Refusal::Closed => (
            Code::Closed,
            "This invite was closed. Ask whoever gave it to you for a new one.",
        ),
        Refusal::Banned => (
            Code::Banned,
            "You are banned from this chat. Only a moderator of the chat can lift that.",
        ),
        Refusal::Stranger => (
            Code::Stranger,
            "The members of this chat do not accept the invite as one of theirs. Ask whoever gave it to you for a \
             new one.",
        ),
    };
    Failure::new(code, message)
}
