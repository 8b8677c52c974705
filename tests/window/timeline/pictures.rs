//! Timeline and composer as pictures, in both themes, sizes and states. They are painted in software, the same on any
//! machine; `UPDATE_SNAPSHOTS=1` keeps new ones. They need drivers for Vulkan or GL: `--skip picture` where there are
//! none.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use throng::ui::composer::Composer;

use super::chat::{Chat, builder, message, press, type_into};
use crate::stage::{can_draw, turn_to_draw};

/// What a picture is of.
struct Picture {
    size: [f32; 2],
    theme: egui::Theme,
    scale: f32,
}

const DARK: Picture = Picture {
    size: [640.0, 400.0],
    theme: egui::Theme::Dark,
    scale: 1.0,
};
const LIGHT: Picture = Picture {
    theme: egui::Theme::Light,
    ..DARK
};

/// Compares a picture with the one kept in `tests/snapshots`.
fn picture(name: &str, picture: Picture, chat: Chat, prepare: impl Fn(&mut Harness<'_, Chat>)) {
    if !can_draw() {
        return;
    }
    let mut harness = builder(picture.size, picture.theme)
        .with_pixels_per_point(picture.scale)
        .wgpu()
        .build_ui_state(|ui, chat: &mut Chat| chat.ui(ui), chat);
    prepare(&mut harness);
    harness.run();
    let _turn = turn_to_draw();
    harness.snapshot(name);
}

fn nothing(_: &mut Harness<'_, Chat>) {}

#[test]
fn picture_dark() {
    picture(
        "timeline-dark",
        Picture {
            size: [900.0, 860.0],
            ..DARK
        },
        Chat::new().talk(),
        nothing,
    );
}

#[test]
fn picture_light_and_wide() {
    picture(
        "timeline-light-wide",
        Picture {
            size: [1300.0, 860.0],
            ..LIGHT
        },
        Chat::new().talk(),
        nothing,
    );
}

#[test]
fn picture_narrow_at_2x() {
    let narrow = Picture {
        size: [380.0, 640.0],
        scale: 2.0,
        ..DARK
    };
    picture("timeline-dark-narrow-2x", narrow, Chat::new().talk(), nothing);
}

#[test]
fn picture_compact() {
    let mut chat = Chat::new().talk();
    chat.compact = true;
    picture(
        "timeline-compact",
        Picture {
            size: [900.0, 560.0],
            ..LIGHT
        },
        chat,
        nothing,
    );
}

#[test]
fn picture_empty() {
    picture("timeline-empty", DARK, Chat::new(), nothing);
}

#[test]
fn picture_hostile() {
    let mut chat = Chat::new();
    let tower = format!("t{0}o{0}w{0}er", "\u{301}".repeat(300));
    for (number, nick, text) in [
        (1, "W".repeat(128), "x".repeat(400)),
        (
            2,
            "\u{202E}ecila\u{2066}\n\n".to_owned(),
            "lines\n\n\n\n\n\n\n\n\n\nand lines".to_owned(),
        ),
        (3, "\u{200B}".to_owned(), tower),
        (4, "mallory\u{E001}".to_owned(), "robin ".repeat(60)),
        (
            5,
            "m".to_owned(),
            format!("https://example.org/{}", "long/".repeat(50)),
        ),
    ] {
        let author = u8::try_from(number).expect("small");
        chat.timeline
            .insert(message(number, author, &nick, i64::from(number), &text));
    }
    picture(
        "timeline-hostile",
        Picture {
            size: [480.0, 760.0],
            ..DARK
        },
        chat,
        nothing,
    );
}

#[test]
fn picture_scrolled_up() {
    picture("timeline-scrolled", LIGHT, Chat::new().many(200), |harness| {
        press(harness, Modifiers::NONE, Key::PageUp);
        harness
            .state_mut()
            .timeline
            .insert(message(9_999, 1, "alice", 100_000, "something new"));
        harness.hover_at(egui::pos2(300.0, 200.0));
    });
}

#[test]
fn picture_top() {
    let mut chat = Chat::new().many(200);
    chat.timeline.set_more_before(true);
    picture("timeline-top", DARK, chat, |harness| {
        for _ in 0..40 {
            press(harness, Modifiers::NONE, Key::PageUp);
        }
    });
}

#[test]
fn picture_menu() {
    picture("timeline-menu", LIGHT, Chat::new().talk(), |harness| {
        harness
            .get_by_label_contains("13:51: Two alices?")
            .click_secondary();
        harness.run();
        harness.get_by_label("Mention carol").hover();
    });
}

#[test]
fn picture_selected() {
    picture("timeline-selected", DARK, Chat::new().talk(), |harness| {
        harness.drag_at(egui::pos2(200.0, 100.0));
        harness.run();
        harness.hover_at(egui::pos2(200.0, 200.0));
        harness.run();
        harness.drop_at(egui::pos2(200.0, 200.0));
    });
}

#[test]
fn picture_completion() {
    picture("composer-completion", DARK, Chat::new().talk(), |harness| {
        type_into(harness, "/b");
    });
}

#[test]
fn picture_too_long() {
    picture("composer-too-long", LIGHT, Chat::new().talk(), |harness| {
        harness.state_mut().composer = Composer::with_draft("line of a long text\n".repeat(41));
        type_into(harness, "!");
        press(harness, Modifiers::NONE, Key::Enter);
    });
}

#[test]
fn picture_who_that_is() {
    picture("timeline-author", DARK, Chat::new().talk(), |harness| {
        let row = harness.get_by_label_contains("13:51: Two alices?").rect();
        harness.hover_at(row.left_top() + egui::vec2(76.0, 22.0));
        harness.run_steps(8);
    });
}

#[test]
fn picture_where_a_link_leads() {
    picture("timeline-link", LIGHT, Chat::new().talk(), |harness| {
        harness.get_by_label("throng:AAECAwQFBgcICQ").hover();
        harness.run_steps(8);
    });
}
