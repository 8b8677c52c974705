//! What tests of the window share: a window driven by the names of its controls, before a backend that plays a node
//! or is one.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

mod archive;
mod drawing;
#[path = "../../common/events.rs"]
mod events;
mod played;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use egui::accesskit::Role as NodeRole;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use throng::id::{ChatId, ClientId};
use throng::model::*;
use throng::ui::app::App;
use throng::ui::backend::Backend;
use throng::ui::clock::Clock;
use throng::ui::files::{FileAnswer, FileRequest, Files, write};

pub use self::drawing::{can_draw, turn_to_draw};
pub use self::events::*;
pub use self::played::Played;

/// A clock that goes on when it is told to.
#[derive(Clone, Default)]
pub struct StageClock(Rc<Cell<Duration>>);

impl StageClock {
    pub fn pass(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

impl Clock for StageClock {
    fn timestamp(&self) -> Timestamp {
        let began = Timestamp::from_second(NOW).expect("in range");
        began + jiff::SignedDuration::try_from(self.0.get()).expect("in range")
    }

    fn elapsed(&self) -> Duration {
        self.0.get()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// The user before the system's file dialogs: answers with what was laid out, in order.
#[derive(Clone, Default)]
pub struct StageFiles {
    /// What the next dialogs answer. None laid out: they are silent for ever.
    pub answers: Rc<RefCell<VecDeque<FileAnswer>>>,
    /// What was asked for.
    pub requests: Rc<RefCell<Vec<FileRequest>>>,
    ready: Rc<RefCell<VecDeque<(u64, FileAnswer)>>>,
}

impl StageFiles {
    pub fn will_choose(&self, path: impl Into<PathBuf>) {
        self.answers
            .borrow_mut()
            .push_back(FileAnswer::Chosen(path.into()));
    }
}

impl Files for StageFiles {
    fn request(&mut self, ticket: u64, request: FileRequest) {
        self.requests.borrow_mut().push(request.clone());
        let answer = match request {
            FileRequest::Write { path, bytes, replace } => {
                // There is no profile here.
                let own_files = throng::runtime::OwnFiles::of(Path::new(""));
                Some(write(path, &bytes, replace, &own_files))
            }
            _ => self.answers.borrow_mut().pop_front(),
        };
        self.ready
            .borrow_mut()
            .extend(answer.map(|answer| (ticket, answer)));
    }

    fn poll(&mut self) -> Option<(u64, FileAnswer)> {
        self.ready.borrow_mut().pop_front()
    }
}

/// A window before a played node.
pub struct Window {
    pub harness: Harness<'static, Slot>,
    pub node: Played,
    pub files: StageFiles,
    pub clock: StageClock,
}

/// How a window is to be.
pub struct Setting {
    pub size: [f32; 2],
    pub pixels_per_point: f32,
    pub theme: Theme,
    pub nick: &'static str,
    pub pictures: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            size: [1080.0, 720.0],
            pixels_per_point: 1.0,
            theme: Theme::Dark,
            nick: "Robin",
            pictures: false,
        }
    }
}

impl Window {
    /// With a profile that has a nick but no chats.
    pub fn open() -> Self {
        Self::open_as(Setting::default())
    }

    pub fn open_as(setting: Setting) -> Self {
        let node = Played::default();
        *node.settings.borrow_mut() = Settings {
            nick: setting.nick.to_owned(),
            theme: setting.theme,
            ..Settings::default()
        };
        Self::before(node, setting)
    }

    /// Before a node that was set up.
    pub fn before(node: Played, setting: Setting) -> Self {
        node.report(Event::Ready {
            version: "0.1.0".to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            passphrase: false,
        });
        let (files, clock) = (StageFiles::default(), StageClock::default());
        let harness = harness(Box::new(node.clone()), &files, clock.clone(), &setting);
        let mut window = Self {
            harness,
            node,
            files,
            clock,
        };
        window.harness.run();
        window
    }

    /// A chat with two members besides ourselves, linked, with a few words said; its tab in front.
    pub fn with_chat(name: &str) -> (Self, ChatId) {
        let mut window = Self::open();
        let chat = window.add_chat(1, name);
        window.go_to(name);
        (window, chat)
    }

    /// Opens a chat with Ann and Ben in it, as a restart does.
    pub fn add_chat(&mut self, number: u8, name: &str) -> ChatId {
        let chat = chat_id(number);
        self.node
            .report(opened(number, name, ChatKind::Private, "Robin", Role::Founder));
        let mut members = vec![
            info(member(1), "Ann", Role::Member, Status::Online, true),
            info(member(2), "Ben", Role::Member, Status::Away, true),
            info(own(chat), "Robin", Role::Founder, Status::Online, true),
        ];
        members[2].own = true;
        self.node.report(ChatEvent::Members { members }.of(chat));
        let address = "127.0.0.1:40001".parse().expect("an address");
        self.node.report(
            ChatEvent::PeerLinked {
                client_id: ClientId([1; 32]),
                member: member(1),
                address,
            }
            .of(chat),
        );
        self.harness.run();
        chat
    }

    /// Somebody says something, now.
    pub fn hear(&mut self, chat: ChatId, by: u8, nick: &str, number: u32, text: &str) {
        self.node.report(Event::Message(message(
            chat,
            member(by),
            nick,
            number,
            i64::from(number),
            text,
        )));
        self.harness.run();
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.clock.pass(time);
        self.harness.run();
    }

    /// Goes to a chat by the quick switcher.
    pub fn go_to(&mut self, chat: &str) {
        self.press(Modifiers::COMMAND, Key::K);
        self.harness.event(egui::Event::Text(chat.to_owned()));
        self.harness.run();
        self.press(Modifiers::NONE, Key::Enter);
    }

    /// What is further down in the open menu is scrolled to first, as one would.
    pub fn click(&mut self, name: &str) {
        let is_menu_open = self.harness.query_all_by_label("Menu").count() > 1;
        if is_menu_open {
            self.control(name).scroll_to_me();
            self.harness.run();
        }
        self.control(name).click();
        self.harness.run();
    }

    /// The one control of this name that can be acted on; its label in the window goes by the same words.
    pub fn control<'a>(&'a self, name: &'a str) -> Node<'a> {
        control(&self.harness, name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.harness.query_all_by_label(name).next().is_some()
    }

    /// Whether something shows these words among others.
    pub fn shows(&self, words: &str) -> bool {
        self.harness.query_all_by_label_contains(words).next().is_some()
    }

    /// Types into the field of this name, in place of what stands there.
    pub fn fill(&mut self, name: &str, text: &str) {
        fill(&mut self.harness, name, text);
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run();
    }

    pub fn title(&self) -> String {
        self.harness
            .state()
            .borrow()
            .as_ref()
            .expect("made")
            .title()
            .to_owned()
    }
}

/// Opens a public chat in which we are this, with Ann in it, and goes to it.
pub fn open_public(window: &mut Window, role: Role, door: Door) -> ChatId {
    let chat = chat_id(30);
    let mut event = opened(30, "town square", ChatKind::Public, "Robin", role);
    if let Event::Chat {
        event: ChatEvent::ChatOpened { door: is, joined, .. },
        ..
    } = &mut event
    {
        (*is, *joined) = (door, true);
    }
    window.node.report(event);
    let own = MemberInfo {
        own: true,
        ..info(own(chat), "Robin", role, Status::Online, true)
    };
    let members = vec![info(member(1), "Ann", Role::Member, Status::Online, true), own];
    window.node.report(ChatEvent::Members { members }.of(chat));
    window.node.report(
        ChatEvent::PeerLinked {
            client_id: ClientId([1; 32]),
            member: member(1),
            address: address(),
        }
        .of(chat),
    );
    window.harness.run();
    window.go_to("town square");
    chat
}

/// Opens a public chat into which we are not let yet, and goes to it.
pub fn asked_in(window: &mut Window) -> ChatId {
    window
        .node
        .report(opened(31, "night train", ChatKind::Public, "Robin", Role::Member));
    window.harness.run();
    window.go_to("night train");
    chat_id(31)
}

/// The app, made as soon as there is a context for it.
pub type Slot = Rc<RefCell<Option<App>>>;

/// A window over any backend.
pub fn harness(
    backend: Box<dyn Backend>,
    files: &StageFiles,
    clock: impl Clock + 'static,
    setting: &Setting,
) -> Harness<'static, Slot> {
    let slot = Slot::default();
    let (made, files) = (slot.clone(), files.clone());
    let builder = Harness::builder()
        .with_size(setting.size)
        .with_pixels_per_point(setting.pixels_per_point)
        .with_max_steps(60)
        .with_context_setup(move |ctx| {
            *made.borrow_mut() = Some(App::new(ctx, backend, Box::new(files), Box::new(clock)));
        });
    let draws = setting.pictures && can_draw();
    let builder = if draws { builder.wgpu() } else { builder };
    builder.build_ui_state(
        |ui, slot: &mut Slot| {
            let mut slot = slot.borrow_mut();
            let app = slot.as_mut().expect("made with the context");
            app.logic(ui.ctx());
            // The harness leaves a margin that a window has not.
            let whole = ui.ctx().content_rect();
            let mut root = ui.new_child(egui::UiBuilder::new().max_rect(whole));
            root.set_clip_rect(whole);
            app.ui(&mut root);
        },
        slot,
    )
}

/// The one control of this name that can be acted on; a label in the window may go by the same words.
pub fn control<'a>(harness: &'a Harness<'static, Slot>, name: &'a str) -> Node<'a> {
    let mut found: Vec<_> = harness
        .query_all_by_label(name)
        .filter(|node| {
            !matches!(
                node.accesskit_node().role(),
                NodeRole::Label | NodeRole::Heading | NodeRole::GenericContainer
            )
        })
        .collect();
    assert!(found.len() == 1, "{} controls are called {name:?}", found.len());
    found.remove(0)
}

/// Types into the field of this name, in place of what stands there.
pub fn fill(harness: &mut Harness<'static, Slot>, name: &str, text: &str) {
    control(harness, name).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    control(harness, name).type_text(text);
    harness.run();
}
