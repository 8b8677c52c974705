//! The dialog that lets people into a chat: by an invite of its own, for so many and for so long, or by the link of a
//! public chat; as a file, as text, as a link, as a picture. An invite is made once, when it is first asked for, and all the ways
//! give the same one.

use std::fmt;
use std::path::PathBuf;

use egui::{Align, Layout, RichText, Sense, Ui, UiBuilder, vec2};

use super::DialogContext;
use super::door::door_terms;
use super::file_wait::FileWait;
use crate::id::ChatId;
use crate::model::{
    Chat, ChatCommand, ChatEvent, ChatKind, Command, Deed, DoorMode, Event, Join, Rights, Tag,
};
use crate::ui::action::Action;
use crate::ui::files::{FileAnswer, FileKind, FileRequest, PICTURE_EXTENSION, file_name, typed_path};
use crate::ui::icons::Icon;
use crate::ui::qr::QrCode;
use crate::ui::theme;
use crate::ui::widgets::{
    above_buttons, area_ui, choice_style, dialog_buttons, done_ui, error_ui, field_with_button, hint_ui,
    labelled_button, paragraph_ui, secondary_button,
};

/// Seconds of a day.
const DAY_SECS: u64 = 24 * 60 * 60;

/// Side of the QR code in points: three pixels a module for the longest of links on a coarse screen.
const PICTURE_SIDE: f32 = 248.0;

/// The dialog that lets people into a chat.
#[derive(Debug)]
pub struct ExportDialog {
    chat: ChatId,
    chat_name: String,
    is_public: bool,
    offer: Offer,
    made: Option<Made>,
    /// What is to be done with the invite as soon as it is made.
    then: Option<Way>,
    /// Whether the picture is shown in place of the text.
    shows_picture: bool,
    /// What the file is to hold that was asked for.
    saving: FileKind,
    path: String,
    error: Option<String>,
    pub(super) done: Option<String>,
    pub(super) file: FileWait,
    pub(super) waiting: Option<Tag>,
}

/// What is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// The link of a public chat: it has no terms but the door's.
    Link,
    /// An invite of its own.
    Invite(Terms),
}

impl Offer {
    /// What one should know before one hands it out.
    fn caution(self) -> &'static str {
        match self {
            Self::Link => {
                "Whoever holds the link can come in by the door, and hand it on. It names network addresses at which \
                 you and other members can be reached."
            }
            Self::Invite(_) => {
                "Whoever holds the invite can come in, so hand it to nobody else. It names network addresses at which \
                 you and other members can be reached."
            }
        }
    }
}

/// Whom an invite lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Terms {
    /// 0: any number.
    uses: u16,
    /// Nothing: always.
    valid_secs: Option<u64>,
    rights: Rights,
}

/// The terms that are offered first.
const USUAL_TERMS: Terms = Terms {
    uses: 1,
    valid_secs: Some(7 * DAY_SECS),
    rights: Rights::Member,
};

/// An invite, or a public chat's link: a secret, for whoever holds it comes in.
struct Made {
    text: String,
    link: String,
    /// The link as a picture; none if it is too long for one.
    picture: Option<QrCode>,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Show,
    ShowPicture,
    ChooseFile(FileKind),
    WriteTo(PathBuf),
    CopyText,
    CopyLink,
}

impl ExportDialog {
    /// For this chat.
    pub fn new(chat: &Chat) -> Self {
        let is_public = chat.kind == ChatKind::Public;
        Self {
            chat: chat.id,
            chat_name: chat.name.clone(),
            is_public,
            offer: if is_public {
                Offer::Link
            } else {
                Offer::Invite(USUAL_TERMS)
            },
            made: None,
            then: None,
            shows_picture: is_public,
            saving: FileKind::Invite,
            path: String::new(),
            error: None,
            done: None,
            file: FileWait::default(),
            waiting: None,
        }
    }

    pub(super) fn title(&self) -> &'static str {
        if self.is_public {
            "Let people in"
        } else {
            "Export the invite"
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let Some(chat) = context.chats.get(self.chat) else {
            return vec![Action::CloseDialog];
        };
        let mut actions = Vec::new();
        above_buttons(ui, |ui| {
            let before = self.offer;
            if self.is_public && chat.may(Deed::Invite).is_ok() {
                self.offer_ui(ui);
            }
            match &mut self.offer {
                Offer::Link => link_terms_ui(ui, chat),
                Offer::Invite(terms) => invite_terms_ui(ui, chat, terms),
            }
            if self.offer != before {
                // Other terms are another invite.
                (self.made, self.done, self.error) = (None, None, None);
                self.shows_picture = self.offer == Offer::Link;
            }
            match why_not_invite(chat) {
                Some(reason) => _ = error_ui(ui, &reason),
                None => actions.extend(self.ways_and_outcome_ui(ui, context)),
            }
        });
        self.foot_ui(ui, chat, &mut actions);
        actions
    }

    /// Whether to hand out the link of a public chat, or an invite that passes by the door.
    fn offer_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            choice_style(ui);
            ui.spacing_mut().item_spacing.x = 16.0;
            ui.radio_value(&mut self.offer, Offer::Link, "The chat's link");
            let is_invite = matches!(self.offer, Offer::Invite(_));
            if ui.radio(is_invite, "An invite past the door").clicked() && !is_invite {
                self.offer = Offer::Invite(USUAL_TERMS);
            }
        });
    }

    fn ways_and_outcome_ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        hint_ui(ui, self.offer.caution());
        let mut way = match (&self.made, self.offer) {
            // A link is there: nothing has to be decided before it is shown.
            (None, Offer::Link) if self.waiting.is_none() && self.error.is_none() => Some(Way::Show),
            _ => None,
        };
        way = way.or(self.ways_ui(ui, context));
        if let Some(error) = &self.error {
            error_ui(ui, error);
        }
        if let Some(done) = &self.done {
            done_ui(ui, done);
        }
        if let Some(made) = &self.made {
            made.ui(ui, self.offer, self.shows_picture);
        }
        way.map(|way| self.go(way)).unwrap_or_default()
    }

    fn ways_ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Option<Way> {
        let mut way = None;
        let idle = self.waiting.is_none();
        let may_ask = idle && self.file.may_ask(context.elapsed);
        let picture_stands = self.shows_picture && self.made.is_some();
        let mut buttons = vec![(Icon::Link, "Copy link", idle, Way::CopyLink)];
        if self.offer != Offer::Link {
            buttons.push((Icon::Copy, "Copy text", idle, Way::CopyText));
        }
        let file = Way::ChooseFile(FileKind::Invite);
        buttons.push((Icon::Save, "Save as file…", may_ask, file));
        buttons.push(if picture_stands {
            let picture = Way::ChooseFile(FileKind::Picture);
            (Icon::QrCode, "Save picture…", may_ask, picture)
        } else {
            (Icon::QrCode, "QR picture", idle, Way::ShowPicture)
        });
        ui.horizontal_wrapped(|ui| {
            for (icon, name, enabled, button_way) in buttons {
                if labelled_button(ui, icon, name, enabled).clicked() {
                    way = Some(button_way);
                }
            }
        });
        let instead = "Type a path below, or copy the text.";
        if let Some(hint) = self.file.hint(context.elapsed, instead) {
            let amber = theme::tokens(ui).amber;
            ui.label(RichText::new(hint).color(amber));
        }
        let hint = format!("~/{}, or .png", file_name(&self.chat_name, FileKind::Invite));
        let label = "Or type where to save it";
        if field_with_button(ui, label, &hint, &mut self.path, "Save", idle) {
            let home = std::env::home_dir();
            way = Some(Way::WriteTo(typed_path(&self.path, home.as_deref())));
        }
        way
    }

    fn foot_ui(&self, ui: &mut Ui, chat: &Chat, actions: &mut Vec<Action>) {
        dialog_buttons(ui, |ui| {
            if secondary_button(ui, "Done", true).clicked() {
                actions.push(Action::CloseDialog);
            }
            ui.spacing_mut().item_spacing.x = 16.0;
            if chat.may(Deed::CloseInvite).is_ok() && ui.link("Invites…").clicked() {
                actions.push(Action::ShowInvites(self.chat));
            }
            if self.is_public && ui.link("Door…").clicked() {
                actions.push(Action::ShowDoor(self.chat));
            }
        });
    }

    /// Goes a way, by making the invite first if there is none yet.
    fn go(&mut self, way: Way) -> Vec<Action> {
        (self.error, self.done) = (None, None);
        let Some(made) = &self.made else {
            self.then = Some(way);
            return vec![Action::Submit(self.command())];
        };
        let action = match way {
            Way::Show => return Vec::new(),
            Way::ShowPicture => {
                self.shows_picture = true;
                return Vec::new();
            }
            Way::ChooseFile(kind) => {
                self.saving = kind;
                Action::AskFile(FileRequest::ChooseTarget {
                    kind,
                    file_name: file_name(&self.chat_name, kind),
                })
            }
            Way::WriteTo(path) => {
                self.saving = if path.extension().is_some_and(|ending| ending == PICTURE_EXTENSION) {
                    FileKind::Picture
                } else {
                    FileKind::Invite
                };
                made.write_to(path, self.saving, false)
            }
            Way::CopyText => Action::Copy {
                text: made.text.clone(),
                what: "the invite's text".to_owned(),
            },
            Way::CopyLink => Action::Copy {
                text: made.link.clone(),
                what: if self.offer == Offer::Link {
                    "the chat's link".to_owned()
                } else {
                    "the invite's link".to_owned()
                },
            },
        };
        vec![action]
    }

    fn command(&self) -> Command {
        let (uses, expires_in, rights) = match self.offer {
            Offer::Link => (None, None, Rights::Member),
            Offer::Invite(terms) => (Some(terms.uses), terms.valid_secs, terms.rights),
        };
        ChatCommand::ExportInvite {
            path: None,
            uses,
            expires_in,
            rights,
        }
        .to(self.chat)
    }

    pub(super) fn answered(&mut self, event: &Event) -> Option<Vec<Action>> {
        match event {
            Event::Chat {
                event: ChatEvent::InviteExported { text, link, .. },
                ..
            } => {
                self.waiting = None;
                self.made = Some(Made {
                    text: text.clone(),
                    link: link.clone(),
                    picture: QrCode::new(link),
                });
                Some(self.then.take().map(|way| self.go(way)).unwrap_or_default())
            }
            Event::Error { message, .. } => {
                (self.waiting, self.then) = (None, None);
                self.error = Some(message.clone());
                Some(Vec::new())
            }
            _ => None,
        }
    }

    pub(super) fn file_answered(&mut self, ticket: u64, answer: FileAnswer) -> Vec<Action> {
        if !self.file.ends(ticket, &answer) {
            return Vec::new();
        }
        match (answer, &self.made) {
            // The system's dialog has asked whether a file may be replaced.
            (FileAnswer::Chosen(path), Some(made)) => {
                return vec![made.write_to(path, self.saving, true)];
            }
            (FileAnswer::Written(path), _) => self.done = Some(format!("Saved as {}.", path.display())),
            (FileAnswer::NotWritten(why), _) => self.error = Some(why),
            _ => {}
        }
        Vec::new()
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

impl Made {
    fn ui(&self, ui: &mut Ui, offer: Offer, shows_picture: bool) {
        if offer == Offer::Link {
            area_ui(ui, "The chat's link", "", 2, &mut self.link.clone());
        } else if !shows_picture {
            area_ui(ui, "The invite's text", "", 4, &mut self.text.clone());
        }
        match &self.picture {
            _ if !shows_picture => {}
            Some(picture) => {
                ui.add_space(4.0);
                ui.vertical_centered(|ui| picture.ui(ui, PICTURE_SIDE, "The link as a QR code"));
            }
            None => {
                hint_ui(
                    ui,
                    "The link is too long for a QR picture. Save it as a file, or copy it.",
                );
            }
        }
    }

    fn write_to(&self, path: PathBuf, kind: FileKind, replace: bool) -> Action {
        let picture = self.picture.as_ref().filter(|_| kind == FileKind::Picture);
        let bytes = picture.map_or_else(|| self.text.clone().into_bytes(), QrCode::to_png);
        Action::AskFile(FileRequest::Write { path, bytes, replace })
    }
}

/// Why one can't let anybody into a chat, if one can't.
pub fn why_not_invite(chat: &Chat) -> Option<String> {
    if chat.join != Join::Joined {
        Some("You are not in this chat yet.".to_owned())
    } else if chat.kind == ChatKind::Public && chat.own_ban().is_none() {
        // Everybody hands on its link.
        None
    } else {
        chat.may(Deed::Invite).err()
    }
}

fn link_terms_ui(ui: &mut Ui, chat: &Chat) {
    paragraph_ui(
        ui,
        &format!(
            "Anyone with the link can come into {}. The door now: {}.",
            chat.name,
            door_terms(&chat.door)
        ),
    );
    if chat.door.mode == DoorMode::Closed {
        error_ui(ui, "As long as the door is closed, the link lets nobody in.");
    }
}

fn invite_terms_ui(ui: &mut Ui, chat: &Chat, terms: &mut Terms) {
    let is_public = chat.kind == ChatKind::Public;
    paragraph_ui(
        ui,
        &if is_public {
            "For people whom you know: an invite of its own lets them in whatever the door is.".to_owned()
        } else {
            format!(
                "An invite to {} is a small file, or a text, that lets people in.",
                chat.name
            )
        },
    );
    let uses = [
        (1, "1 person"),
        (5, "5 people"),
        (25, "25 people"),
        (0, "Any number"),
    ];
    // In a public chat an invite for any number is the link again.
    let uses = &uses[..uses.len() - usize::from(is_public)];
    choices_ui(ui, "Lets in", uses, &mut terms.uses);
    let valid = [
        (Some(DAY_SECS), "A day"),
        (Some(7 * DAY_SECS), "A week"),
        (None, "Until it is closed"),
    ];
    choices_ui(ui, "Valid for", &valid, &mut terms.valid_secs);
    let rights = [
        (Rights::Member, "Read and write"),
        (Rights::Observer, "Read only"),
    ];
    choices_ui(ui, "They may", &rights, &mut terms.rights);
}

/// Choices side by side; their label before them, or above them where it is narrow.
fn choices_ui<T: PartialEq + Copy>(ui: &mut Ui, label: &str, choices: &[(T, &str)], chosen: &mut T) {
    let narrow = ui.available_width() < 440.0;
    let weak = theme::tokens(ui).weak;
    let label = RichText::new(label).font(theme::meta_strong()).color(weak);
    let mut radios = |ui: &mut Ui| {
        choice_style(ui);
        ui.spacing_mut().item_spacing = vec2(16.0, 2.0);
        for (value, name) in choices {
            ui.radio_value(chosen, *value, *name);
        }
    };
    if narrow {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(label);
            ui.horizontal_wrapped(radios);
        });
    } else {
        ui.horizontal(|ui| {
            let (room, _) = ui.allocate_exact_size(vec2(64.0, 28.0), Sense::hover());
            let child = UiBuilder::new()
                .max_rect(room)
                .layout(Layout::left_to_right(Align::Center));
            ui.new_child(child).label(label);
            radios(ui);
        });
    }
}
