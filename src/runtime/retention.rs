//! Retention: how much of a chat this computer keeps, and deleting the rest. Also sending failed own messages again.

use std::time::Duration;

use super::actor::Actor;
use super::cause::Cause;
use super::failure::Failure;
use super::failure::bad_command;
use crate::id::{ChatId, MessageId};
use crate::model::{ChatEvent, Code, Retention, Tag};
use crate::node::{HOUR, Input};
use crate::store::Write;

/// How often retention is checked. A guess: history is kept by the hour.
const LOOK_EVERY: Duration = Duration::from_secs(1800);

const HOUR_MS: u64 = 3_600_000;

impl Actor {
    /// Deletes the messages of a chat from this computer, for good.
    pub(super) async fn clear_history(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        self.chat(id)?;
        let since = (self.clock.now().unix_ms + 1) << 16;
        self.outlet
            .store
            .save(Write::ClearHistory { chat: id, since })
            .await?;
        self.tell_node(id, Input::KeepFrom(since), &mut Cause::none())?;
        self.outlet.report_in(id, ChatEvent::HistoryCleared, tag);
        Ok(())
    }

    /// Sets how much of a chat is kept from now on.
    pub(super) async fn set_retention(
        &mut self,
        id: ChatId,
        retention: Retention,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        if matches!(retention, Retention::Days { days: 0 } | Retention::Mib { mib: 0 }) {
            let sentence = "Keep at least a day, or 1 MiB. To forget everything, clear the history.";
            return Err(bad_command(sentence));
        }
        self.chat_mut(id)?.record.retention = retention;
        let chat = id;
        let store = self.outlet.store.clone();
        store.save(Write::SetRetention { chat, retention }).await?;
        self.outlet
            .report_in(chat, ChatEvent::RetentionChanged { retention }, tag);
        self.forget_old(id).await
    }

    /// From time to time, deletes what chats keep beyond their retention.
    pub(super) async fn keep_what_is_to_be_kept(&mut self) {
        let now = self.clock.now().elapsed;
        let looked_at = self.retention_looked_at;
        if looked_at.is_some_and(|at| now.saturating_sub(at) < LOOK_EVERY) {
            return;
        }
        self.retention_looked_at = Some(now);
        let limited: Vec<ChatId> = self
            .chats
            .iter()
            .filter(|(_, chat)| chat.record.retention != Retention::Forever)
            .map(|(id, _)| *id)
            .collect();
        for id in limited {
            if let Err(failure) = self.forget_old(id).await {
                self.outlet.failed(Some(id), failure);
            }
        }
    }

    async fn forget_old(&mut self, id: ChatId) -> Result<(), Failure> {
        let store = self.outlet.store.clone();
        let first_kept = match self.chat(id)?.record.retention {
            Retention::Forever => None,
            Retention::Days { days } => {
                let hours = self.clock.now().unix_ms / HOUR_MS;
                u32::try_from(hours.saturating_sub(u64::from(days) * 24)).ok()
            }
            Retention::Mib { mib } => store.first_hour_within(id, mib).await?,
        };
        let (Some(before_hour), Some(oldest)) = (first_kept, store.oldest_hour(id).await?) else {
            return Ok(());
        };
        if oldest < before_hour {
            let chat = id;
            store.save(Write::Forget { chat, before_hour }).await?;
            let since = u64::from(before_hour) * HOUR;
            self.tell_node(id, Input::KeepFrom(since), &mut Cause::none())?;
        }
        Ok(())
    }

    /// Sends a failed own message again.
    pub(super) fn resend(
        &mut self,
        id: ChatId,
        message: MessageId,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        self.tell_node(id, Input::Resend(message), cause)?;
        if cause.take_unanswered().is_some() {
            let sentence = "This message is not one that failed. Look at its mark: it waits, or is out.";
            return Err(Failure::new(Code::NotFound, sentence));
        }
        Ok(())
    }
}
