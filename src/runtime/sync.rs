//! Between a node and the stored history of its chat: lookups for reconciliation, what the node has fetched from others, and
//! scrolling up past what is stored.

use super::actor::{Actor, Errand};
use super::cause::Cause;
use super::chat::Chat;
use super::clock::timestamp;
use super::history::Question;
use super::outlet::Outlet;
use crate::id::ChatId;
use crate::model::ChatEvent;
use crate::node::{ArchiveAnswer, ArchiveQuery, ArchivedSay, Input, NodePart};
use crate::store::{PartRecord, Store, StoreError, Write};

/// How many lookups of a chat can wait for their turn. Its node bounds them as well, by what its links may ask. A guess.
const MAX_LOOKS: usize = 256;

/// How many pages of history can wait for the same older messages. A guess: a window asks for one at a time.
const MAX_WAITING: usize = 16;

/// What waits for the store, and for what others have.
#[derive(Default)]
pub(super) struct Sync {
    /// A round of history is over, and those who wait for it have not been told.
    has_fetched: bool,
    /// What the node wants to look up.
    looks: Vec<(u64, ArchiveQuery)>,
    /// Questions for history that wait until older messages have been fetched.
    waiting: Vec<Question>,
}

impl Actor {
    /// Begins the lookups that nodes have asked for. Those without room wait for the next turn.
    pub(super) fn go_on_with_looks(&mut self) {
        let wanted: Vec<ChatId> = self
            .chats
            .iter()
            .filter(|(_, chat)| !chat.sync.looks.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in wanted {
            let Some(chat) = self.chats.get_mut(&id) else {
                continue;
            };
            for (ticket, query) in std::mem::take(&mut chat.sync.looks) {
                let Ok(permit) = self.errand_permit() else {
                    // The node asks again what is not answered in time.
                    break;
                };
                let store = self.outlet.store.clone();
                self.send_for(permit, async move {
                    let answer = look(&store, id, query).await.unwrap_or_else(|error| {
                        tracing::warn!(chat = %id, "an archive could not be read: {error}");
                        ArchiveAnswer::Failed
                    });
                    Errand::Looked {
                        chat: id,
                        ticket,
                        answer: Box::new(answer),
                    }
                });
            }
        }
    }

    /// What a node wanted to know has come.
    pub(super) fn looked(&mut self, id: ChatId, ticket: u64, answer: ArchiveAnswer) {
        let now = self.clock.now();
        // One that was left in the meantime.
        let Some(chat) = self.chats.get_mut(&id) else {
            return;
        };
        chat.node.handle(now, Input::Found { ticket, answer });
        chat.drain(now, &mut Cause::none(), &mut self.outlet);
    }

    /// Fetches older messages than all that are held. The question is asked again when they have come, or won't.
    pub(super) fn fetch_older(&mut self, question: Question) {
        let now = self.clock.now();
        let Some(chat) = self.chats.get_mut(&question.chat) else {
            return;
        };
        let limit = question.limit as usize;
        chat.sync.waiting.push(question);
        chat.node.handle(now, Input::FetchOlder { limit });
        chat.drain(now, &mut Cause::none(), &mut self.outlet);
    }

    /// Goes on with questions for history whose older messages have come, or won't.
    pub(super) fn go_on_with_history(&mut self) {
        let ready: Vec<Question> = self
            .chats
            .values_mut()
            .filter_map(|chat| {
                let has_fetched = std::mem::take(&mut chat.sync.has_fetched);
                has_fetched.then(|| std::mem::take(&mut chat.sync.waiting))
            })
            .flatten()
            .collect();
        for question in ready {
            self.ask_again(question);
        }
    }
}

impl Chat {
    /// Whether others may have older messages than all that are held here.
    pub(super) fn may_fetch_older(&self) -> bool {
        !self.is_classic() && !self.node.history_state().is_whole
    }

    /// Whether one more question may wait for older messages.
    pub(super) fn has_room_to_wait(&self) -> bool {
        self.sync.waiting.len() < MAX_WAITING
    }

    /// The node wants to look something up.
    pub(super) fn wants_look(&mut self, ticket: u64, query: ArchiveQuery) {
        // What is not answered is asked again.
        if self.sync.looks.len() < MAX_LOOKS {
            self.sync.looks.push((ticket, query));
        }
    }

    /// Fragments that were stored when their message was incomplete.
    pub(super) fn has_parts(&mut self, parts: Vec<PartRecord>) {
        self.node.has_parts(parts.into_iter().map(|part| NodePart {
            id: part.id,
            member: part.member,
            client_id: part.client_id,
            number: part.number,
            first: part.first,
            signed: part.signed,
        }));
    }

    /// A fragment of a long message came.
    pub(super) fn part_came(&mut self, part: NodePart, outlet: &mut Outlet) {
        let chat = self.record.chat;
        let part = PartRecord {
            id: part.id,
            member: part.member,
            client_id: part.client_id,
            number: part.number,
            first: part.first,
            signed: part.signed,
        };
        outlet.keep(Write::AddPart { chat, part });
    }

    /// History is held from another hlc on.
    pub(super) fn history_held(&self, since: u64, is_whole: bool, outlet: &mut Outlet) {
        let chat = self.record.chat;
        outlet.keep(Write::SetHistoryHeld {
            chat,
            since,
            is_whole,
        });
    }

    /// History is being fetched, or has been.
    pub(super) fn history_progress(&mut self, fetched: u32, done: bool, more: bool, outlet: &mut Outlet) {
        self.sync.has_fetched |= done;
        let event = ChatEvent::HistoryProgress {
            fetched,
            back_to: self
                .node
                .history_state()
                .since
                .map(|since| timestamp(since >> 16)),
            done,
            more,
        };
        outlet.report_in(self.record.chat, event, None);
    }
}

/// Looks up what a node wants to know.
async fn look(store: &Store, chat: ChatId, query: ArchiveQuery) -> Result<ArchiveAnswer, StoreError> {
    Ok(match query {
        ArchiveQuery::Fingerprints(spans) => {
            ArchiveAnswer::Fingerprints(store.fingerprints(chat, spans).await?)
        }
        ArchiveQuery::Ids { span, limit } => ArchiveAnswer::Ids(store.archived_ids(chat, span, limit).await?),
        ArchiveQuery::Says {
            span,
            except,
            limit,
            max_bytes,
        } => {
            let (says, more) = store.archived(chat, span, except, limit, max_bytes).await?;
            let says = says.into_iter().map(|said| ArchivedSay {
                id: said.id,
                member: said.member,
                signed: said.signed,
            });
            ArchiveAnswer::Says {
                says: says.collect(),
                more,
            }
        }
    })
}
