//! The window's state, and the three places that use it: [`App::logic`] takes in what happened and carries out what was
//! asked for; [`App::ui`] paints and collects what is asked for; `input` looks at keys, drops and pastes. This is the
//! unidirectional flow of Elm and Redux.
//!
//! It knows no window system: eframe drives it in the program, a harness in the tests.

mod carry_out;
mod history;
mod input;
mod leaving;
mod logic;
mod moderation;
mod paint;
mod search;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use egui::{Context, ViewportCommand};

use self::leaving::Leaving;
use super::action::Action;
use crate::runtime::InviteSource;

use super::backend::Backend;
use super::chat_view::ChatView;
use super::clock::Clock;
use super::dialogs::Dialog;
use super::files::Files;
use super::in_order;
use super::outbox::Outbox;
use super::search::Search;
use super::switcher::Switcher;
use super::tabs::Tabs;
use super::theme;
use super::toasts::Toasts;
use super::welcome::UnlockPage;
use crate::id::ChatId;
use crate::model::{Chat, Chats, Code, Settings};

/// Invites that may wait to be offered. More than anybody opens at a time.
const MAX_WAITING_INVITES: usize = 16;

/// The window.
pub struct App {
    outbox: Outbox,
    files: Box<dyn Files>,
    clock: Box<dyn Clock>,
    phase: Phase,
    chats: Chats,
    settings: Settings,
    tabs: Tabs,
    views: BTreeMap<ChatId, ChatView>,
    overlays: Overlays,
    toasts: Toasts,
    /// Chats that are being left.
    leaving: BTreeMap<ChatId, Leaving>,
    presence: Presence,
    /// What was asked for since the last [`Self::logic`].
    actions: Vec<Action>,
    /// Invites that the program was started with, to be offered once the chats are loaded.
    invites: VecDeque<InviteSource>,
    next_ticket: u64,
    /// Whether a passphrase seals the profile's keys.
    passphrase_set: bool,
    /// The window's title.
    title: String,
}

/// How far the program has come.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// The profile is being opened.
    Starting,
    /// The first start: the nick that is being typed.
    Welcome(String),
    /// The profile's keys wait for their passphrase.
    Locked(UnlockPage),
    /// It stands.
    Running,
    /// Nothing works: why, and what to do.
    Failed { code: Code, message: String },
    /// The user wants it to end.
    Closing,
}

/// What stands over the chats.
#[derive(Debug, Default)]
struct Overlays {
    /// The dialogs that are open, the one in front last.
    dialogs: Vec<Dialog>,
    switcher: Option<Switcher>,
    search: Option<Search>,
    topic_edit: Option<String>,
    /// Whether the composer takes the keyboard as soon as nothing is open over it.
    focus_wanted: bool,
    /// In a narrow window: the list of chats instead of the chat.
    chat_list: bool,
    /// In a narrow window: the members beside or instead of the chat.
    members: bool,
}

impl Overlays {
    /// Whether the keyboard belongs to something over the chats.
    fn take_keys(&self) -> bool {
        !self.dialogs.is_empty() || self.switcher.is_some()
    }
}

/// Whether somebody is at the computer.
#[derive(Debug, Default)]
struct Presence {
    /// A key, a click or a movement came since the last [`App::logic`].
    input_seen: bool,
    last_input: Duration,
    /// The chats in which we are away because nobody used the computer.
    away_in: BTreeSet<ChatId>,
}

impl App {
    /// A window over `backend`, before the first frame.
    pub fn new(
        ctx: &Context,
        backend: Box<dyn Backend>,
        files: Box<dyn Files>,
        clock: Box<dyn Clock>,
    ) -> Self {
        let settings = Settings::default();
        theme::install(ctx, settings.theme, settings.zoom_percent);
        // The settings know the zoom, and keep it.
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        in_order::install(ctx);
        Self {
            outbox: Outbox::new(backend),
            files,
            chats: Chats::new(clock.zone()),
            presence: Presence {
                last_input: clock.elapsed(),
                ..Presence::default()
            },
            clock,
            phase: Phase::Starting,
            settings,
            tabs: Tabs::default(),
            views: BTreeMap::new(),
            overlays: Overlays::default(),
            toasts: Toasts::default(),
            leaving: BTreeMap::new(),
            actions: Vec::new(),
            invites: VecDeque::new(),
            next_ticket: 0,
            passphrase_set: false,
            title: String::new(),
        }
    }

    /// The window of a program that could not be started.
    pub fn fail(&mut self, code: Code, message: String) {
        self.phase = Phase::Failed { code, message };
    }

    /// Offers to import an invite as soon as the chats are loaded: a file that was opened, or a link. Several are offered one
    /// after the other.
    pub fn open_invite(&mut self, invite: InviteSource) {
        if !self.invites.contains(&invite) && self.invites.len() < MAX_WAITING_INVITES {
            self.invites.push_back(invite);
        }
    }

    /// Ends the program: by the user's wish, or the system's.
    pub fn quit(&mut self, ctx: &Context) {
        self.phase = Phase::Closing;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Whether it is about to end.
    pub fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    /// The picture of all chats.
    pub fn chats(&self) -> &Chats {
        &self.chats
    }

    /// The chat in front.
    pub fn selected(&self) -> Option<ChatId> {
        self.tabs
            .selected()
            .filter(|chat| self.chats.get(*chat).is_some())
    }

    /// The window's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Sends what is not kept yet, and undoes what could still be undone. Call it once, before the backend is shut down.
    pub fn close(&mut self) {
        self.phase = Phase::Closing;
        if self.next_leave().is_some() {
            self.stay_everywhere();
            self.save_workspace();
        }
        self.outbox.flush_all();
    }

    fn selected_chat(&self) -> Option<&Chat> {
        self.chats.get(self.selected()?)
    }

    /// The chats that are not about to be left, as they were opened.
    fn listed(&self) -> impl Iterator<Item = &Chat> {
        self.chats
            .iter()
            .filter(|chat| !self.leaving.contains_key(&chat.id))
    }
}
