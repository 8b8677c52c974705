//! Doing the proof of work for the door of a public chat, in slices on a thread for long computations. So progress can be
//! reported, and leaving the chat stops the work.

use std::time::{Duration, Instant};

use super::actor::{Actor, Errand};
use super::cause::Cause;
use super::chat::{Chat, UNREACHABLE_AFTER};
use super::outlet::Outlet;
use crate::facts::MAX_WORK_BITS;
use crate::id::ChatId;
use crate::invite::work::Search;
use crate::invite::{Admission, Credential};
use crate::model::ChatEvent;
use crate::node::Input;

/// How long a slice takes, and so how often progress is reported: often enough for a progress bar.
const SLICE: Duration = Duration::from_millis(250);

/// Tries between two looks at the clock: some milliseconds.
const TRIES_BETWEEN_LOOKS: u64 = 4096;

/// Work that a door asked for.
#[derive(Debug)]
pub(super) struct Work {
    task: Task,
    /// `None` while a slice is under way.
    search: Option<Search>,
}

/// What the work is for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    /// The work asked for, in leading zero bits.
    bits: u8,
    /// The admission without the work.
    admission: Admission,
}

/// The result of a slice.
#[derive(Debug)]
pub(super) struct Slice {
    task: Task,
    search: Search,
    found: Option<u64>,
}

impl Actor {
    /// Begins the next slice of all work that waits for one. Work without room waits for the next turn.
    pub(super) fn go_on_with_work(&mut self) {
        let waiting: Vec<ChatId> = self
            .chats
            .iter()
            .filter(|(_, chat)| chat.work.as_ref().is_some_and(|work| work.search.is_some()))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            let Ok(permit) = self.errand_permit() else { return };
            let work = self.chats.get_mut(&id).and_then(|chat| chat.work.as_mut());
            let Some((task, search)) = work.and_then(|work| Some((work.task.clone(), work.search.take()?)))
            else {
                continue;
            };
            self.send_for(permit, async move {
                let slice = tokio::task::spawn_blocking(move || run_slice(task, search)).await;
                Errand::Worked {
                    chat: id,
                    slice: slice.ok().map(Box::new),
                }
            });
        }
    }

    /// A slice is done: the work goes on, or what was found is handed in. `None` if the thread was stopped.
    pub(super) fn worked(&mut self, id: ChatId, slice: Option<Box<Slice>>) {
        // The chat was left meanwhile.
        let Some(chat) = self.chats.get_mut(&id) else {
            return;
        };
        let Some(slice) = slice else {
            // The node that asks for the work will ask again.
            chat.work = None;
            return;
        };
        let Some(work) = chat.work.as_mut().filter(|work| work.task == slice.task) else {
            return;
        };
        if let Some(number) = slice.found {
            chat.work = None;
            self.hand_in(id, &slice.task.admission, number);
            return;
        }
        let (bits, tried) = (slice.task.bits, slice.search.tried());
        work.search = Some(slice.search);
        self.outlet
            .report_in(id, ChatEvent::Working { bits, tried }, None);
    }

    fn hand_in(&mut self, id: ChatId, admission: &Admission, work: u64) {
        let now = self.clock.now();
        let Some(chat) = self.chats.get_mut(&id) else {
            return;
        };
        let Some(key) = chat.invite_key() else { return };
        let Admission {
            member, slot, at_ms, ..
        } = *admission;
        let credential = key.admit_with_work(member, slot, at_ms, work);
        if !chat.record.joined {
            chat.unreachable_at = Some(now.elapsed + UNREACHABLE_AFTER);
        }
        chat.node.handle(now, Input::WorkDone(credential.encode()));
        chat.drain(now, &mut Cause::none(), &mut self.outlet);
    }
}

impl Chat {
    /// A door asks for work. Everyone who could let us in may ask again while it is done; a request for more starts the search
    /// anew.
    pub(super) fn work_asked(&mut self, bits: u8, outlet: &mut Outlet) {
        // The node that asks is online.
        self.unreachable_at = None;
        // No honest node asks for more than a door can, and the work would never end.
        if bits > MAX_WORK_BITS {
            return;
        }
        let Some((invite, admission)) = self.own_admission() else {
            return;
        };
        let is_under_way = self
            .work
            .as_ref()
            .is_some_and(|work| work.task.admission == admission && work.task.bits == bits);
        if is_under_way {
            return;
        }
        let chat = self.record.chat;
        let search = Search::new(&chat, &invite, &admission.member, admission.at_ms, bits);
        self.work = Some(Work {
            task: Task { bits, admission },
            search: Some(search),
        });
        outlet.report_in(chat, ChatEvent::Working { bits, tried: 0 }, None);
    }

    fn own_admission(&self) -> Option<(crate::id::InviteId, Admission)> {
        match Credential::decode(self.record.credential.as_ref()?).ok()? {
            (Credential::Invited { invite, admission }, []) => Some((invite.invite, admission)),
            _ => None,
        }
    }
}

fn run_slice(task: Task, mut search: Search) -> Slice {
    let until = Instant::now() + SLICE;
    let mut found = None;
    while found.is_none() && Instant::now() < until {
        found = search.run(TRIES_BETWEEN_LOOKS);
    }
    Slice { task, search, found }
}
