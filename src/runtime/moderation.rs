//! Moderation: the commands of founder and moderators, and the events about roles, bans, invites and the door.

use data_encoding::HEXLOWER;

use super::actor::Actor;
use super::cause::{Cause, InFlight};
use super::chat::Chat;
use super::failure::Failure;
use super::failure::{bad_command, check_len};
use super::outlet::Outlet;
use crate::facts::{Action, Admitted, Denied, MAX_BAN_REASON_LEN, MAX_WORK_BITS, StandingBan, State};
use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId};
use crate::invite::Rights;
use crate::model::{ChatEvent, ChatKind, Code, Door, DoorMode, HistoryRule, Role, Tag};
use crate::node::{Input, Moderation, NodeEvent, StoredFact};
use crate::store::{FactRecord, Write};

/// The fields of a `Ban` command.
pub(super) struct BanOrder {
    pub(super) member: MemberId,
    pub(super) reason: String,
    pub(super) with_invite: bool,
    pub(super) hide_all: bool,
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::new(Code::NotAllowed, denied.to_string())
    }
}

// Commands. The node's event is the answer. Where nothing changes there is no event, and the answer is made here.
impl Actor {
    pub(super) fn ban(&mut self, id: ChatId, order: BanOrder, cause: &mut Cause) -> Result<(), Failure> {
        check_len("The reason of a ban", &order.reason, MAX_BAN_REASON_LEN)?;
        let chat = self.moderated_chat(id)?;
        let member = order.member;
        let admitted = chat.known(member)?;
        chat.may(Action::Ban(member))?;
        if order.with_invite && chat.came_by_link(&admitted) {
            return Err(Failure::new(
                Code::NotAllowed,
                "They came by the chat's own link, as others did: banning all who came by it would ban those, too. \
                 Ban them alone, and set the door if more of them come.",
            ));
        }
        let BanOrder {
            reason,
            with_invite,
            hide_all,
            ..
        } = order;
        let deed = Moderation::Ban {
            member,
            reason,
            with_invite,
            hide_all,
        };
        self.tell_node(id, Input::Moderate(deed), cause)?;
        let Some(ban) = self.chat(id)?.ban_of(member) else {
            return Err(nothing_done());
        };
        let event = ChatEvent::Banned {
            member,
            by: ban.by,
            reason: ban.ban.reason.clone(),
            hide_all: ban.ban.hide_all,
        };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn unban(&mut self, id: ChatId, member: MemberId, cause: &mut Cause) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        let own = chat.node.member();
        if chat.own_role() < Role::Moderator {
            return Err(Denied::ModeratorsOnly.into());
        }
        let bans = chat.bans_against(member);
        if bans.is_empty() {
            chat.known(member)?;
            return Err(Failure::new(Code::Already, "They are not banned."));
        }
        // Lift those that we may lift, and report the others afterwards.
        let denials: Vec<Failure> = bans
            .iter()
            .filter_map(|ban| chat.may(Action::Lift(ban.id)).err())
            .collect();
        let denied = denials.len() == bans.len();
        if let Some(failure) = denials.into_iter().next()
            && denied
        {
            return Err(failure);
        }
        self.tell_node(id, Input::Moderate(Moderation::Unban(member)), cause)?;
        let chat = self.chat(id)?;
        if let Some(left) = chat.bans_against(member).first() {
            return Err(match chat.may(Action::Lift(left.id)) {
                Err(denied) => denied,
                Ok(()) => nothing_done(),
            });
        }
        let event = ChatEvent::Unbanned { member, by: own };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn set_role(
        &mut self,
        id: ChatId,
        member: MemberId,
        role: Role,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        if role == Role::Founder {
            return Err(bad_command(
                "A chat has one founder. Make them a moderator, a member or an observer.",
            ));
        }
        let chat = self.moderated_chat(id)?;
        chat.known(member)?;
        let before = chat.role_of(&member);
        chat.may(match (before, role) {
            (_, Role::Moderator) => Action::Promote(member),
            (Role::Moderator, _) => Action::Demote(member),
            _ => Action::SetRole(member),
        })?;
        // Granting a moderator's office again would add a fact that everybody has to keep.
        if (before, role) != (Role::Moderator, Role::Moderator) {
            self.tell_node(id, Input::Moderate(Moderation::SetRole(member, role)), cause)?;
        }
        let chat = self.chat(id)?;
        if chat.role_of(&member) != role {
            return Err(nothing_done());
        }
        let event = ChatEvent::RoleChanged {
            member,
            role,
            by: Some(chat.node.member()),
        };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn undo_from(&mut self, id: ChatId, fact: FactId, cause: &mut Cause) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        let log = chat.node.state().map(State::log).unwrap_or_default();
        let Some(by) = log.iter().find(|entry| entry.id == fact).map(|entry| entry.by) else {
            return Err(Failure::new(
                Code::NotFound,
                "Nothing of that id was done here. The moderation log tells the ids.",
            ));
        };
        chat.may(Action::Demote(by))?;
        self.tell_node(id, Input::Moderate(Moderation::UndoFrom(fact)), cause)?;
        let chat = self.chat(id)?;
        let left = chat.node.state().map(State::log).unwrap_or_default();
        if left.iter().any(|entry| entry.id == fact) {
            return Err(nothing_done());
        }
        let event = ChatEvent::RoleChanged {
            member: by,
            role: chat.role_of(&by),
            by: Some(chat.node.member()),
        };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn close_invite(
        &mut self,
        id: ChatId,
        invite: InviteId,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        chat.may(Action::CloseInvite)?;
        if !chat.knows_invite(&invite) {
            return Err(Failure::new(
                Code::NotFound,
                "No invite of that id was made here, and nobody is known to have come by it.",
            ));
        }
        self.tell_node(id, Input::Moderate(Moderation::CloseInvite(invite)), cause)?;
        if !self.chat(id)?.is_closed(&invite) {
            return Err(nothing_done());
        }
        let event = ChatEvent::InviteClosed { invite, by: None };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn set_door(&mut self, id: ChatId, door: Door, cause: &mut Cause) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        check_door(&door)?;
        if chat.record.kind != ChatKind::Public {
            return Err(Failure::new(
                Code::NotAllowed,
                "Only public chats have a door. Into this one people come by invite.",
            ));
        }
        chat.may(Action::SetDoor)?;
        let own = chat.node.member();
        self.tell_node(id, Input::Moderate(Moderation::SetDoor(door)), cause)?;
        if self.chat(id)?.door() != door {
            return Err(nothing_done());
        }
        let event = ChatEvent::DoorChanged { door, by: Some(own) };
        self.outlet.answer_in(id, event, cause);
        Ok(())
    }

    pub(super) fn set_history_rule(
        &mut self,
        id: ChatId,
        rule: HistoryRule,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        if rule == (HistoryRule::Days { days: 0 }) || rule == (HistoryRule::Days { days: u16::MAX }) {
            let sentence = "Give 1 to 65,534 days, or choose all, or from_joining.";
            return Err(Failure::new(Code::BadCommand, sentence));
        }
        chat.may(Action::SetHistoryRule)?;
        let by = Some(chat.node.member());
        self.tell_node(id, Input::Moderate(Moderation::SetHistoryRule(rule)), cause)?;
        if self.chat(id)?.history_rule() != rule {
            return Err(nothing_done());
        }
        let chat = id;
        self.outlet
            .answer_in(chat, ChatEvent::HistoryRuleChanged { rule, by }, cause);
        Ok(())
    }

    pub(super) fn set_ignored(
        &mut self,
        id: ChatId,
        member: MemberId,
        ignored: bool,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let chat = self.chat_mut(id)?;
        if member == chat.node.member() {
            return Err(bad_command("That is you. Nobody ignores themselves."));
        }
        if ignored && !chat.has_heard_of(&member) {
            return Err(no_such_member());
        }
        // In a classic chat the member is the session: at the next start nobody has that id.
        let is_kept = !chat.is_classic();
        if ignored {
            chat.ignored.insert(member);
        } else {
            chat.ignored.remove(&member);
        }
        if is_kept {
            self.outlet.keep(Write::SetIgnored {
                chat: id,
                member,
                ignored,
            });
        }
        let event = ChatEvent::IgnoreChanged { member, ignored };
        self.outlet.report_in(id, event, tag);
        Ok(())
    }

    pub(super) fn tell_facts(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        let chat = self.moderated_chat(id)?;
        let state = chat.node.state().map(|state| HEXLOWER.encode(&state.to_bytes()));
        let event = ChatEvent::Facts {
            root: HEXLOWER.encode(&chat.node.facts_root()),
            state: state.unwrap_or_default(),
        };
        self.outlet.report_in(id, event, tag);
        Ok(())
    }

    pub(super) fn tell_log(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        let entries = self.moderated_chat(id)?.moderation_log();
        self.outlet
            .report_in(id, ChatEvent::ModerationLog { entries }, tag);
        Ok(())
    }

    /// A chat with a founder.
    fn moderated_chat(&self, id: ChatId) -> Result<&Chat, Failure> {
        let chat = self.chat(id)?;
        if chat.is_classic() {
            return Err(Failure::new(
                Code::NotAllowed,
                "A classic chat has no founder and no moderators: nobody decides there for all.",
            ));
        }
        Ok(chat)
    }
}

// Questions about the node's state.
impl Chat {
    /// Whether we may do something.
    pub(super) fn may(&self, action: Action) -> Result<(), Failure> {
        if self.is_classic() {
            return Ok(());
        }
        Ok(self.node.may(action)?)
    }

    /// The member, if their admission is known here.
    fn known(&self, member: MemberId) -> Result<Admitted, Failure> {
        self.node.admitted(&member).ok_or_else(no_such_member)
    }

    /// What is known of a member. If their admission was never seen, only that bans can name them.
    pub(super) fn admitted_or_named(&self, member: MemberId) -> Admitted {
        self.node.admitted(&member).unwrap_or(Admitted {
            member,
            rights: Rights::Member,
            by: None,
            invited_by: None,
        })
    }

    /// The ban that keeps a member out.
    pub(super) fn ban_of(&self, member: MemberId) -> Option<&StandingBan> {
        self.node.state()?.ban_of(&self.admitted_or_named(member))
    }

    /// All bans that name a member. The one that keeps them out comes first.
    fn bans_against(&self, member: MemberId) -> Vec<&StandingBan> {
        let keeps_out = self.ban_of(member);
        let state = self.node.state().into_iter();
        let naming = state.flat_map(|state| state.bans_naming(&member));
        let others = naming.filter(|ban| keeps_out.is_none_or(|first| first.id != ban.id));
        keeps_out.into_iter().chain(others).collect()
    }

    /// How strangers come in.
    pub(super) fn door(&self) -> Door {
        self.node.state().map_or(Door::OPEN, State::door)
    }

    /// The history rule.
    pub(super) fn history_rule(&self) -> HistoryRule {
        self.node.state().map_or(HistoryRule::All, State::history_rule)
    }

    /// Whether only moderators and the founder may set the topic.
    pub(super) fn is_topic_locked(&self) -> bool {
        self.node.state().is_some_and(State::is_topic_locked)
    }

    /// Whether an invite was closed by a fact.
    pub(super) fn is_closed(&self, invite: &InviteId) -> bool {
        self.node.state().is_some_and(|state| state.is_closed(invite))
    }

    fn came_by_link(&self, admitted: &Admitted) -> bool {
        self.record.kind == ChatKind::Public && matches!(admitted.by, Some((_, None)))
    }

    /// The sentence for a user who is banned: by whom, and why.
    pub(super) fn own_ban(&self) -> Option<String> {
        let ban = self.ban_of(self.node.member())?;
        let (by, reason) = (self.nick_of(&ban.by), &ban.ban.reason);
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(" The reason given is: “{reason}”.")
        };
        Some(format!(
            "You were banned from this chat by {by}.{why} What was said before you can still read; only they, or \
             somebody above them, can lift the ban."
        ))
    }
}

// Events of the node.
impl Chat {
    /// Reports what has changed in roles and bans.
    pub(super) fn moderated(&mut self, event: NodeEvent, cause: &mut Cause, outlet: &mut Outlet) {
        let (chat, own) = (self.record.chat, self.node.member());
        let answer = |cause: &mut Cause, by: Option<MemberId>, event: InFlight| {
            let is_own = by == Some(own);
            is_own.then(|| cause.take_answer(event)).flatten()
        };
        match event {
            NodeEvent::Banned {
                member,
                by,
                reason,
                hide_all,
            } => {
                if self.is_classic() {
                    self.reconnect.forget(ClientId(member.0));
                }
                let tag = answer(cause, Some(by), InFlight::Ban(member));
                let event = ChatEvent::Banned {
                    member,
                    by,
                    reason,
                    hide_all,
                };
                outlet.report_in(chat, event, tag);
            }
            NodeEvent::Unbanned { member, by } => {
                if member == own {
                    self.refusal = None;
                }
                let tag = answer(cause, Some(by), InFlight::Unban(member));
                outlet.report_in(chat, ChatEvent::Unbanned { member, by }, tag);
            }
            NodeEvent::RoleChanged { member, role, by } => {
                let tag = answer(cause, by, InFlight::Role(member));
                let event = ChatEvent::RoleChanged { member, role, by };
                outlet.report_in(chat, event, tag);
            }
            NodeEvent::DoorChanged { door, by } => {
                let tag = answer(cause, by, InFlight::Door);
                outlet.report_in(chat, ChatEvent::DoorChanged { door, by }, tag);
            }
            NodeEvent::HistoryRuleChanged { rule, by } => {
                let tag = answer(cause, by, InFlight::HistoryRule);
                outlet.report_in(chat, ChatEvent::HistoryRuleChanged { rule, by }, tag);
            }
            NodeEvent::InviteClosed { invite, by } => {
                let tag = answer(cause, by, InFlight::InviteClosed(invite));
                outlet.report_in(chat, ChatEvent::InviteClosed { invite, by }, tag);
            }
            NodeEvent::FactsChanged { added, removed } => outlet.keep(Write::PutFacts {
                chat,
                added: added.into_iter().map(fact_record).collect(),
                removed,
            }),
            NodeEvent::Forked { member } => outlet.report_in(chat, ChatEvent::Forked { member }, None),
            NodeEvent::ModerationStale(stale) => {
                outlet.report_in(chat, ChatEvent::ModerationStale { stale }, None);
            }
            _ => {}
        }
    }
}

/// Checks that a door asks for something possible.
pub(super) fn check_door(door: &Door) -> Result<(), Failure> {
    match door.mode {
        _ if door.work_bits > MAX_WORK_BITS => Err(bad_command(format!(
            "A door can ask for at most {MAX_WORK_BITS} bits of work: more would take a computer hours."
        ))),
        DoorMode::Work if door.work_bits == 0 => Err(bad_command(
            "A door with work has to say how much: give work_bits, for example 20.",
        )),
        DoorMode::ReadFirst if door.minutes == 0 => Err(bad_command(
            "A door behind which newcomers only read has to say how long: give minutes, for example 10.",
        )),
        _ => Ok(()),
    }
}

fn fact_record(stored: StoredFact) -> FactRecord {
    let StoredFact { id, fact, credential } = stored;
    FactRecord { id, fact, credential }
}

fn no_such_member() -> Failure {
    Failure::new(
        Code::NotFound,
        "Nobody of that id is known in this chat. They may not have been here yet, or the id is mistyped.",
    )
}

/// The error for a deed that is allowed but has no room in the fact set.
fn nothing_done() -> Failure {
    Failure::new(
        Code::Busy,
        "That was not done: this chat holds no more decisions of yours. Ask its founder to do it.",
    )
}
