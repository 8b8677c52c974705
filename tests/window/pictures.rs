//! Pictures of the window.

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use throng::id::{ChatId, ClientId};
use throng::model::*;

use crate::stage::*;

/// A window as it is pictured.
#[derive(Clone, Copy)]
enum Shape {
    WideDark,
    NarrowLight,
}

impl Shape {
    fn setting(self) -> Setting {
        match self {
            Self::WideDark => setting([1080.0, 720.0], 1.0, Theme::Dark),
            Self::NarrowLight => setting([420.0, 640.0], 2.0, Theme::Light),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::WideDark => "wide",
            Self::NarrowLight => "narrow-2x",
        }
    }
}

const NAMES: [&str; 9] = [
    "Ann", "Ben", "Cleo", "Dario", "Eva", "Farid", "Gwen", "Ann", "Søren",
];

fn setting(size: [f32; 2], pixels_per_point: f32, theme: Theme) -> Setting {
    Setting {
        size,
        pixels_per_point,
        theme,
        pictures: true,
        ..Setting::default()
    }
}

/// A window in which much has happened.
fn full(setting: Setting) -> Window {
    let mut window = Window::open_as(setting);
    let boat = chat_id(1);
    window
        .node
        .report(opened(1, "The boat", ChatKind::Private, "Robin", Role::Founder));
    window.node.report(opened(
        2,
        "Allotment friends",
        ChatKind::Private,
        "Robin",
        Role::Member,
    ));
    window
        .node
        .report(opened(3, "retro-ring", ChatKind::Classic, "robin", Role::Member));
    window.node.report(opened(
        4,
        "Choir, Tuesday evenings in the old town hall",
        ChatKind::Private,
        "Robin",
        Role::Member,
    ));
    window
        .node
        .report(opened(5, "Film night", ChatKind::Private, "Robin", Role::Member));
    window
        .node
        .report(ChatEvent::Members { members: crew(boat) }.of(boat));
    for chat in [boat, chat_id(2), chat_id(5)] {
        for link in 1..4 {
            let address = "127.0.0.1:40001".parse().expect("an address");
            let (client_id, member) = (ClientId([link; 32]), member(link));
            window.node.report(
                ChatEvent::PeerLinked {
                    client_id,
                    member,
                    address,
                }
                .of(chat),
            );
        }
    }
    let message_to =
        "This invite was good until yesterday. Ask whoever gave it to you for a new one.".to_owned();
    window.node.report(
        ChatEvent::JoinFailed {
            code: Code::Expired,
            message: message_to,
        }
        .of(chat_id(4)),
    );
    let topic = "Saturday: who comes, who brings what, and when the tide turns".to_owned();
    window.node.report(
        ChatEvent::TopicChanged {
            topic,
            locked: false,
            by: member(1),
        }
        .of(boat),
    );
    talk(&window, boat);
    for (number, chat, text) in [
        (900, 2, "The beans are up!"),
        (901, 2, "Robin: could you bring the ladder?"),
        (902, 5, "Seven?"),
    ] {
        window.node.report(Event::Message(message(
            chat_id(chat),
            member(2),
            "Ben",
            number,
            -300,
            text,
        )));
    }
    window.harness.run();
    for chat in ["retro-ring", "Film night", "Allotment", "The boat"] {
        window.go_to(chat);
    }
    for (number, text) in [(903, "Popcorn is on me"), (904, "and the projector works again")] {
        window.node.report(Event::Message(message(
            chat_id(5),
            member(3),
            "Cleo",
            number,
            10,
            text,
        )));
    }
    window.node.report(Event::Message(message(
        chat_id(2),
        member(2),
        "Ben",
        905,
        20,
        "Robin: and the keys?",
    )));
    window.harness.run();
    window
}

fn crew(chat: ChatId) -> Vec<MemberInfo> {
    let mut members: Vec<MemberInfo> = (1u8..)
        .zip(NAMES)
        .map(|(number, nick)| {
            let status =
                [Status::Online, Status::Online, Status::Away, Status::Busy][usize::from(number % 4)];
            info(member(number), nick, Role::Member, status, number % 5 != 0)
        })
        .collect();
    members.push(MemberInfo {
        own: true,
        ..info(own(chat), "Robin", Role::Founder, Status::Online, true)
    });
    members
}

fn talk(window: &Window, chat: ChatId) {
    let said: [(u8, &str, i64, &str); 10] = [
        (
            1,
            "Ann",
            -88_000,
            "Has anybody looked at the weather for Saturday?",
        ),
        (
            2,
            "Ben",
            -87_900,
            "Dry until four, then wind from the west. We should be back by three.",
        ),
        (2, "Ben", -87_880, "Map: https://example.org/tides/2026-11-28"),
        (
            3,
            "Cleo",
            -7_000,
            "I can bring bread, cheese and the big thermos. There is room for two more in my car if somebody needs a lift to the jetty; I leave at half past six.",
        ),
        (9, "Søren", -6_900, "Me, please! 👍"),
        (
            1,
            "Ann",
            -3_000,
            "Robin, do you still have the spare life jackets?",
        ),
        (
            0,
            "Robin",
            -2_800,
            "Four of them, in the shed. I'll put them in the boat on Friday.",
        ),
        (0, "Robin", -2_790, "And the pump."),
        (7, "Gwen", -400, "What about the dog?"),
        (2, "Ben", -100, "The dog comes."),
    ];
    for (number, (who, nick, seconds, text)) in (1u32..).zip(said) {
        let by = if who == 0 { own(chat) } else { member(who) };
        let mut message = message(chat, by, nick, number, seconds, text);
        message.own = who == 0;
        message.delivery = message.own.then_some(DeliveryState::Sent);
        window.node.report(Event::Message(message));
    }
}

/// A chat of boat people that has moderators, an observer, somebody who is ignored and two who are banned. We are
/// `role` in it; Ann is the founder if we are not.
fn moderated(setting: Setting, role: Role) -> Window {
    let mut window = Window::open_as(setting);
    let boat = chat_id(1);
    window
        .node
        .report(opened(1, "The boat", ChatKind::Private, "Robin", role));
    window.node.report(ChatEvent::Joined.of(boat));
    let ann = if role == Role::Founder {
        Role::Moderator
    } else {
        Role::Founder
    };
    let roles = [
        ann,
        Role::Member,
        Role::Moderator,
        Role::Observer,
        Role::Member,
        Role::Member,
        Role::Observer,
        Role::Member,
        Role::Member,
    ];
    let mut members = crew(boat);
    for (member, role) in members.iter_mut().zip(roles) {
        member.role = role;
        member.since = "2026-11-03T09:00:00Z".parse().ok();
    }
    members[5].ignored = true;
    members[9].role = role;
    window.node.report(ChatEvent::Members { members }.of(boat));
    window.node.report(
        ChatEvent::PeerLinked {
            client_id: ClientId([1; 32]),
            member: member(1),
            address: address(),
        }
        .of(boat),
    );
    talk(&window, boat);
    window.harness.run();
    window.go_to("The boat");
    window.pass(std::time::Duration::from_secs(30));
    for (who, by, reason) in [(7, 1, "the dog again and again"), (8, 3, "")] {
        window.node.report(
            ChatEvent::Banned {
                member: member(who),
                by: member(by),
                reason: reason.to_owned(),
                hide_all: false,
            }
            .of(boat),
        );
    }
    window.node.report(
        ChatEvent::TopicChanged {
            topic: "Saturday: who comes, who brings what".to_owned(),
            locked: true,
            by: member(1),
        }
        .of(boat),
    );
    window.harness.run();
    window
}

fn opens_members(window: &mut Window) {
    if !window.has("Ben, away") {
        window.press(Modifiers::COMMAND.plus(Modifiers::ALT), Key::M);
    }
}

const WIDE: &[Shape] = &[Shape::WideDark];
const NARROW: &[Shape] = &[Shape::NarrowLight];
const BOTH: &[Shape] = &[Shape::WideDark, Shape::NarrowLight];

/// Something that can be done to a window.
type Step = fn(&mut Window);

/// What is to be seen of moderation, and how to get there.
const MODERATION: [(&str, Role, &[Shape], Step); 10] = [
    ("members", Role::Founder, WIDE, |window| {
        opens_members(window);
        window.click("Show the banned, 2");
    }),
    ("card", Role::Founder, WIDE, |window| {
        opens_members(window);
        window.click("Cleo, busy, moderator");
    }),
    ("card-denied", Role::Member, NARROW, |window| {
        opens_members(window);
        window.click("Cleo, busy, moderator");
    }),
    ("card-banned", Role::Founder, WIDE, |window| {
        opens_members(window);
        window.click("Show the banned, 2");
        window.click("Gwen, banned");
    }),
    ("ban", Role::Founder, BOTH, |window| {
        opens_members(window);
        window.click("Ben, away");
        window.click("Ban…");
        window.fill("Reason", "sells boats to everybody");
        window.click("Also everyone who came by the same invite");
        window.click("Hide what they said");
    }),
    ("undo", Role::Founder, WIDE, |window| {
        window.fill("Message", "/ban Ben sells boats");
        window.press(Modifiers::NONE, Key::Enter);
    }),
    ("log", Role::Member, BOTH, |window| {
        *window.node.log.borrow_mut() = log();
        window.fill("Message", "/log");
        window.press(Modifiers::NONE, Key::Enter);
        window.harness.run();
    }),
    ("banned", Role::Member, BOTH, |window| {
        let chat = chat_id(1);
        window.node.report(
            ChatEvent::Banned {
                member: own(chat),
                by: member(3),
                reason: "no life jacket, three times now".to_owned(),
                hide_all: false,
            }
            .of(chat),
        );
        window.harness.run();
    }),
    ("observer", Role::Observer, WIDE, |_| {}),
    ("slow", Role::Member, NARROW, |window| {
        let chat = chat_id(1);
        window.node.report(ChatEvent::Slow { wait_ms: 12_000 }.of(chat));
        window
            .node
            .report(ChatEvent::ModerationStale { stale: true }.of(chat));
        window.harness.run();
    }),
];

fn log() -> Vec<LogEntry> {
    let banned = |who: u8, reason: &str, holds| LoggedDeed::Banned {
        member: member(who),
        reason: reason.to_owned(),
        with_invite: who == 8,
        holds,
    };
    let topic = LoggedDeed::TopicSet {
        topic: "Saturday: who comes, who brings what".to_owned(),
        locked: true,
    };
    let moderator = LoggedDeed::RoleSet {
        member: member(3),
        role: Role::Moderator,
    };
    let invite = throng::id::InviteId([1; 32]);
    let confirmed = LoggedDeed::Confirmed {
        invite,
        members: vec![member(4), member(6), member(9)],
    };
    let deeds = [
        (1, "Ann", -190_000, moderator, None),
        (1, "Ann", -189_000, confirmed, None),
        (3, "Cleo", -9_000, banned(8, "", true), None),
        (
            2,
            "Ben",
            -8_000,
            banned(3, "you know why", false),
            Some("Only moderators and the founder may do that."),
        ),
        (1, "Ann", -3_000, banned(7, "the dog again and again", true), None),
        (1, "Ann", -300, topic, None),
        (1, "Ann", -200, LoggedDeed::InviteClosed { invite }, None),
    ];
    (1u8..)
        .zip(deeds)
        .map(|(id, (by, nick, seconds, deed, denied))| LogEntry {
            id: throng::id::FactId([id; 32]),
            by: member(by),
            nick: nick.to_owned(),
            at: jiff::Timestamp::from_second(NOW + seconds).expect("in range"),
            deed,
            denied: denied.map(str::to_owned),
        })
        .collect()
}

#[test]
fn moderation() {
    let mut album = Album::default();
    for (name, role, shapes, step) in MODERATION {
        for shape in shapes {
            let mut window = moderated(shape.setting(), role);
            step(&mut window);
            album.take(&mut window, &format!("moderation-{name}-{}", shape.suffix()));
        }
    }
}

/// Takes pictures, and compares them with those in `tests/snapshots`.
#[derive(Default)]
struct Album(SnapshotResults);

impl Album {
    fn take(&mut self, window: &mut Window, name: &str) {
        window.harness.remove_cursor();
        window.harness.run();
        if !can_draw() {
            return;
        }
        let _turn = turn_to_draw();
        window.harness.snapshot(format!("window-{name}"));
        self.0.extend_harness(&mut window.harness);
    }
}

#[test]
fn the_window_in_use() {
    let mut album = Album::default();
    let mut window = full(setting([1400.0, 860.0], 1.0, Theme::Dark));
    album.take(&mut window, "dark");
    window.press(Modifiers::COMMAND, Key::K);
    window.harness.event(egui::Event::Text("a".to_owned()));
    album.take(&mut window, "switcher");
    let mut window = full(setting([1080.0, 720.0], 1.0, Theme::Light));
    album.take(&mut window, "light");
}

#[test]
fn the_narrow_window() {
    let mut album = Album::default();
    let mut window = full(setting([420.0, 600.0], 2.0, Theme::Dark));
    album.take(&mut window, "narrow-2x");
    window.click("Chats");
    album.take(&mut window, "narrow-chats-2x");
}

#[test]
fn the_first_minute() {
    let mut album = Album::default();
    let mut window = Window::open_as(Setting {
        nick: "",
        ..setting([900.0, 640.0], 1.0, Theme::Dark)
    });
    album.take(&mut window, "first-start");
    let mut window = Window::open_as(setting([900.0, 640.0], 1.0, Theme::Light));
    album.take(&mut window, "no-chats");
    window.click("Create a chat");
    window.fill("Name", "friends");
    album.take(&mut window, "create");
    window.click("Create");
    album.take(&mut window, "alone");
    window.click("Export invite…");
    window.click("Copy text");
    album.take(&mut window, "export");
}

#[test]
fn what_can_be_wrong() {
    let mut album = Album::default();
    let mut window = full(setting([1080.0, 720.0], 1.0, Theme::Dark));
    window.go_to("Choir");
    album.take(&mut window, "not-let-in");
    window.press(Modifiers::COMMAND, Key::O);
    *window.node.refuse.borrow_mut() = Some((
        Code::Damaged,
        "This invite is cut off. Copy all of it.".to_owned(),
    ));
    window.fill("Or paste the invite's text or link", "throng:abc");
    window.click("Import");
    album.take(&mut window, "import-failed");
}

/// What is about invites and doors is pictured twice: wide, coarse and dark, and narrow, fine and light.
fn settings() -> [(&'static str, Setting); 2] {
    [
        ("dark", setting([1080.0, 720.0], 1.0, Theme::Dark)),
        ("narrow-2x", setting([420.0, 640.0], 2.0, Theme::Light)),
    ]
}

/// A public chat with something said in it.
fn square(window: &mut Window, role: Role, door: Door) -> ChatId {
    let chat = open_public(window, role, door);
    talk(window, chat);
    window.harness.run();
    chat
}

#[test]
fn who_comes_in() {
    let mut album = Album::default();
    for (name, setting) in settings() {
        let mut window = Window::open_as(setting);
        window.click("Create a chat");
        window.fill("Name", "town square");
        window.click("Public");
        window.control("Newcomers read first").scroll_to_me();
        window.harness.run();
        window.click("Newcomers read first");
        album.take(&mut window, &format!("create-public-{name}"));
        window.press(Modifiers::NONE, Key::Escape);

        let door = Door {
            mode: DoorMode::Work,
            work_bits: 26,
            rate: 6,
            ..Door::OPEN
        };
        let _ = square(&mut window, Role::Founder, door);
        window.press(Modifiers::COMMAND, Key::K);
        window.harness.event(egui::Event::Text("Door".to_owned()));
        window.harness.run();
        window.press(Modifiers::NONE, Key::Enter);
        album.take(&mut window, &format!("door-{name}"));
        window.press(Modifiers::NONE, Key::Escape);

        window.click("Export invite…");
        album.take(&mut window, &format!("link-{name}"));
        window.press(Modifiers::NONE, Key::Escape);
    }
}

#[test]
fn the_invites_page() {
    let mut album = Album::default();
    for (name, setting) in settings() {
        let mut window = full(setting);
        window.click("Invites, and who came by them");
        if name == "dark" {
            album.take(&mut window, "invites-none");
        }
        window.press(Modifiers::NONE, Key::Escape);
        *window.node.invites.borrow_mut() = invites();
        window.click("Invites, and who came by them");
        window.click("Close invite 3");
        album.take(&mut window, &format!("invites-{name}"));
        window.click("Close it all the same");
        album.take(&mut window, &format!("invite-closed-{name}"));
        window.press(Modifiers::NONE, Key::Escape);
        window.pass(std::time::Duration::from_secs(15));

        window.click("Export invite…");
        window.click("QR picture");
        album.take(&mut window, &format!("invite-picture-{name}"));
        window.press(Modifiers::NONE, Key::Escape);
        window.press(Modifiers::COMMAND, Key::K);
        window.harness.event(egui::Event::Text("Who may".to_owned()));
        window.harness.run();
        window.press(Modifiers::NONE, Key::Enter);
        album.take(&mut window, &format!("rights-{name}"));
    }
}

#[test]
fn coming_in() {
    let mut album = Album::default();
    for (name, setting) in settings() {
        let mut window = Window::open_as(setting);
        let chat = asked_in(&mut window);
        window
            .node
            .report(ChatEvent::Working { bits: 23, tried: 0 }.of(chat));
        window.harness.run();
        window.clock.pass(std::time::Duration::from_secs(6));
        window.node.report(
            ChatEvent::Working {
                bits: 23,
                tried: 5_000_000,
            }
            .of(chat),
        );
        album.take(&mut window, &format!("working-{name}"));
        window.node.report(
            ChatEvent::JoinFailed {
                code: Code::Closed,
                message:
                    "Nobody new comes into this chat at the moment. Try again later, or ask a member for an \
                      invite of your own."
                        .to_owned(),
            }
            .of(chat),
        );
        album.take(&mut window, &format!("turned-away-{name}"));
    }
}
