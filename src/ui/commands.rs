//! The table of UI commands. Keyboard shortcuts, the menu, the quick switcher and the list of shortcuts all come from it. A
//! command that is not in it does not exist.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

/// What the user can tell the window to do, by key, menu or palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UiCommand {
    /// Opens the dialog that creates a chat.
    NewChat,
    /// Opens the dialog that imports an invite.
    ImportInvite,
    /// Opens the dialog that exports an invite of the chat in front.
    ExportInvite,
    /// Opens the dialog that writes the chat in front to a file.
    ExportChat,
    /// Opens the dialog that writes the profile to a sealed file.
    BackUp,
    /// Opens the dialog for the passphrase of the profile.
    SetPassphrase,
    /// Shows the invites of the chat in front.
    ShowInvites,
    /// Shows how strangers come into the chat in front.
    ShowDoor,
    /// Shows who may do what.
    ShowRights,
    /// Goes to the tab on the right, round at the end.
    NextTab,
    /// Goes to the tab on the left, round at the end.
    PreviousTab,
    /// Goes to the tab with this number, from 1 to 9.
    SelectTab(u8),
    /// Closes the tab in front; the chat stays joined.
    CloseTab,
    /// Opens the tab again that was closed last.
    ReopenTab,
    /// Moves the tab in front one to the left.
    MoveTabLeft,
    /// Moves the tab in front one to the right.
    MoveTabRight,
    /// Opens the quick switcher.
    QuickSwitcher,
    /// Goes to the next chat with something unread.
    NextUnread,
    /// Scrolls to where reading stopped.
    OldestUnread,
    /// Shows how much is kept of the chat in front, and what newcomers see.
    ShowHistory,
    /// Asks whether everything that was said in the chat in front is to be forgotten.
    ClearHistory,
    /// Opens the search in the chat in front.
    Find,
    /// Opens the search in all chats.
    FindEverywhere,
    /// Shows the next hit of the search.
    NextHit,
    /// Shows the hit of the search before.
    PreviousHit,
    /// Asks to which day to go in the chat in front.
    GoToDay,
    /// Goes back to where one was before the last jumps.
    GoBack,
    /// Marks the chat in front as read.
    MarkRead,
    /// Changes the topic of the chat in front.
    EditTopic,
    /// Lets only moderators and the founder set the topic of the chat in front, or members again.
    ToggleTopicLock,
    /// Shows who did what in the chat in front, as founder or moderator.
    ShowModerationLog,
    /// Changes what one is called in the chat in front.
    EditNick,
    /// Shows or hides the list of members.
    ToggleMembers,
    /// Shows how the chat in front is connected, and what to do about it.
    ShowConnection,
    /// Leaves the chat in front, with Undo.
    LeaveChat,
    /// Opens the settings.
    ShowSettings,
    /// Opens the list of shortcuts.
    ShowShortcuts,
    /// Makes everything larger.
    ZoomIn,
    /// Makes everything smaller.
    ZoomOut,
    /// Makes everything as large as it was at first.
    ZoomReset,
    /// Ends the program.
    Quit,
}

/// The headings under which the menu and the list of shortcuts show the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Creating, importing, leaving.
    Chat,
    /// Going from chat to chat.
    Navigation,
    /// The window itself.
    Window,
}

impl Group {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Navigation, Self::Window];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "Chat",
            Self::Navigation => "Getting around",
            Self::Window => "Window",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it does.
    pub command: UiCommand,
    /// What it is called in the menu, the palette and the list of shortcuts. Three dots: it asks for more.
    pub name: &'static str,
    /// Under which heading.
    pub group: Group,
    /// The keys, the first of which the menu shows.
    pub shortcuts: &'static [KeyboardShortcut],
    /// Whether it makes sense only with a chat in front.
    pub needs_chat: bool,
    /// Whether the menu has it; the others are for the fingers alone.
    pub in_menu: bool,
}

/// The commands, in the order in which menu and list show them.
pub const TABLE: &[Entry] = &[
    entry(UiCommand::NewChat, "Create a chat…", Group::Chat, &[ctrl(Key::N)]).menu(),
    entry(
        UiCommand::ImportInvite,
        "Import an invite…",
        Group::Chat,
        &[ctrl(Key::O)],
    )
    .menu(),
    entry(UiCommand::ExportInvite, "Export invite…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ShowInvites, "Invites…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ShowDoor, "Door…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::EditTopic, "Change the topic…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(
        UiCommand::ToggleTopicLock,
        "Lock or unlock the topic",
        Group::Chat,
        &[],
    )
    .chat(),
    entry(UiCommand::ShowModerationLog, "Moderation log…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ShowHistory, "History…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ExportChat, "Export this chat…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ClearHistory, "Clear history…", Group::Chat, &[]).chat(),
    entry(UiCommand::EditNick, "Change your nick…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(UiCommand::ShowConnection, "Connection…", Group::Chat, &[])
        .menu()
        .chat(),
    entry(
        UiCommand::MarkRead,
        "Mark as read",
        Group::Chat,
        &[plain(Key::Escape)],
    )
    .chat(),
    entry(UiCommand::LeaveChat, "Leave the chat", Group::Chat, &[])
        .menu()
        .chat(),
    entry(
        UiCommand::QuickSwitcher,
        "Go to chat, member or command…",
        Group::Navigation,
        &[ctrl(Key::K)],
    )
    .menu(),
    entry(
        UiCommand::NextTab,
        "Next chat",
        Group::Navigation,
        &[ctrl(Key::Tab), ctrl(Key::PageDown), alt(Key::ArrowDown)],
    )
    .chat(),
    entry(
        UiCommand::PreviousTab,
        "Previous chat",
        Group::Navigation,
        &[ctrl_shift(Key::Tab), ctrl(Key::PageUp), alt(Key::ArrowUp)],
    )
    .chat(),
    entry(
        UiCommand::NextUnread,
        "Next unread chat",
        Group::Navigation,
        &[alt_shift(Key::ArrowDown)],
    )
    .menu(),
    entry(
        UiCommand::OldestUnread,
        "Go to the first unread message",
        Group::Navigation,
        &[shift(Key::PageUp)],
    )
    .chat(),
    entry(
        UiCommand::Find,
        "Search in this chat…",
        Group::Navigation,
        &[ctrl(Key::F)],
    )
    .menu()
    .chat(),
    entry(
        UiCommand::FindEverywhere,
        "Search in all chats…",
        Group::Navigation,
        &[ctrl_shift(Key::F)],
    )
    .menu(),
    entry(
        UiCommand::NextHit,
        "Next hit",
        Group::Navigation,
        &[plain(Key::F3)],
    ),
    entry(
        UiCommand::PreviousHit,
        "Hit before",
        Group::Navigation,
        &[shift(Key::F3)],
    ),
    entry(
        UiCommand::GoToDay,
        "Go to a day…",
        Group::Navigation,
        &[ctrl(Key::J)],
    )
    .menu()
    .chat(),
    entry(
        UiCommand::GoBack,
        "Back to where you were",
        Group::Navigation,
        &[alt(Key::ArrowLeft)],
    )
    .chat(),
    entry(
        UiCommand::SelectTab(1),
        "Chat 1",
        Group::Navigation,
        &[alt(Key::Num1), ctrl(Key::Num1)],
    ),
    entry(
        UiCommand::SelectTab(2),
        "Chat 2",
        Group::Navigation,
        &[alt(Key::Num2), ctrl(Key::Num2)],
    ),
    entry(
        UiCommand::SelectTab(3),
        "Chat 3",
        Group::Navigation,
        &[alt(Key::Num3), ctrl(Key::Num3)],
    ),
    entry(
        UiCommand::SelectTab(4),
        "Chat 4",
        Group::Navigation,
        &[alt(Key::Num4), ctrl(Key::Num4)],
    ),
    entry(
        UiCommand::SelectTab(5),
        "Chat 5",
        Group::Navigation,
        &[alt(Key::Num5), ctrl(Key::Num5)],
    ),
    entry(
        UiCommand::SelectTab(6),
        "Chat 6",
        Group::Navigation,
        &[alt(Key::Num6), ctrl(Key::Num6)],
    ),
    entry(
        UiCommand::SelectTab(7),
        "Chat 7",
        Group::Navigation,
        &[alt(Key::Num7), ctrl(Key::Num7)],
    ),
    entry(
        UiCommand::SelectTab(8),
        "Chat 8",
        Group::Navigation,
        &[alt(Key::Num8), ctrl(Key::Num8)],
    ),
    entry(
        UiCommand::SelectTab(9),
        "Chat 9",
        Group::Navigation,
        &[alt(Key::Num9), ctrl(Key::Num9)],
    ),
    entry(
        UiCommand::CloseTab,
        "Close the tab",
        Group::Navigation,
        &[ctrl(Key::W)],
    )
    .chat(),
    entry(
        UiCommand::ReopenTab,
        "Open the closed tab again",
        Group::Navigation,
        &[ctrl_shift(Key::T)],
    ),
    entry(
        UiCommand::MoveTabLeft,
        "Move the tab left",
        Group::Navigation,
        &[alt_shift(Key::ArrowLeft)],
    )
    .chat(),
    entry(
        UiCommand::MoveTabRight,
        "Move the tab right",
        Group::Navigation,
        &[alt_shift(Key::ArrowRight)],
    )
    .chat(),
    entry(
        UiCommand::ToggleMembers,
        "Show or hide the members",
        Group::Window,
        &[ctrl_alt(Key::M)],
    )
    .menu()
    .chat(),
    entry(
        UiCommand::ZoomIn,
        "Larger",
        Group::Window,
        &[ctrl(Key::Plus), ctrl(Key::Equals)],
    ),
    entry(UiCommand::ZoomOut, "Smaller", Group::Window, &[ctrl(Key::Minus)]),
    entry(
        UiCommand::ZoomReset,
        "Normal size",
        Group::Window,
        &[ctrl(Key::Num0)],
    ),
    entry(
        UiCommand::ShowSettings,
        "Settings…",
        Group::Window,
        &[ctrl(Key::Comma)],
    )
    .menu(),
    entry(UiCommand::BackUp, "Back up…", Group::Window, &[]).menu(),
    entry(UiCommand::SetPassphrase, "Passphrase…", Group::Window, &[]).menu(),
    entry(UiCommand::ShowRights, "Who may do what", Group::Window, &[]).menu(),
    entry(
        UiCommand::ShowShortcuts,
        "Keyboard shortcuts",
        Group::Window,
        &[ctrl(Key::Slash), plain(Key::F1), ctrl(Key::Questionmark)],
    )
    .menu(),
    entry(UiCommand::Quit, "Quit", Group::Window, &[ctrl(Key::Q)]).menu(),
];

impl UiCommand {
    /// Its row in the table.
    pub fn entry(self) -> &'static Entry {
        TABLE
            .iter()
            .find(|entry| entry.command == self)
            .expect("every command has its row in the table")
    }

    /// Whether it makes sense while a dialog is open.
    pub fn works_everywhere(self) -> bool {
        matches!(self, Self::ZoomIn | Self::ZoomOut | Self::ZoomReset | Self::Quit)
    }
}

impl Entry {
    const fn menu(mut self) -> Self {
        self.in_menu = true;
        self
    }

    const fn chat(mut self) -> Self {
        self.needs_chat = true;
        self
    }

    /// Its shortcuts in words, as `Ctrl+N`; the menu shows the first.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.shortcuts.iter().map(shortcut_words)
    }
}

fn shortcut_words(shortcut: &KeyboardShortcut) -> String {
    let Modifiers {
        alt,
        shift,
        ctrl,
        command,
        ..
    } = shortcut.modifiers;
    let modifiers = [(ctrl || command, "Ctrl+"), (alt, "Alt+"), (shift, "Shift+")];
    let modifiers: String = modifiers
        .into_iter()
        .filter(|(held, _)| *held)
        .map(|(_, name)| name)
        .collect();
    // As it stands on the key.
    let key = match shortcut.logical_key {
        Key::Comma => ",",
        Key::Slash => "/",
        Key::Questionmark => "?",
        Key::Plus => "+",
        Key::Equals => "=",
        Key::Minus => "-",
        Key::Escape => "Esc",
        Key::PageUp => "PgUp",
        Key::PageDown => "PgDn",
        key => key.name(),
    };
    modifiers + key
}

/// Takes the shortcuts that were pressed out of the input, before any text field sees them.
pub fn take_pressed(ctx: &Context) -> Vec<UiCommand> {
    // A key press also matches shortcuts with fewer modifiers, so those with the most come first.
    let mut shortcuts: Vec<(KeyboardShortcut, UiCommand)> = TABLE
        .iter()
        .flat_map(|entry| entry.shortcuts.iter().map(|shortcut| (*shortcut, entry.command)))
        .collect();
    shortcuts.sort_by_key(|(shortcut, _)| std::cmp::Reverse(modifier_count(shortcut.modifiers)));
    ctx.input_mut(|input| {
        let mut pressed = Vec::new();
        // Esc belongs to what is in front: the window takes it only if nothing else has.
        for (shortcut, command) in shortcuts
            .into_iter()
            .filter(|(shortcut, _)| shortcut.logical_key != Key::Escape)
        {
            if input.consume_shortcut(&shortcut) {
                pressed.push(command);
                if shortcut.modifiers.alt {
                    // With Alt a key's letter comes as well, and would be typed.
                    input
                        .events
                        .retain(|event| !matches!(event, egui::Event::Text(_)));
                }
            }
        }
        pressed
    })
}

fn modifier_count(modifiers: Modifiers) -> u32 {
    u32::from(modifiers.alt) + u32::from(modifiers.shift) + u32::from(modifiers.ctrl || modifiers.command)
}

const fn entry(
    command: UiCommand,
    name: &'static str,
    group: Group,
    shortcuts: &'static [KeyboardShortcut],
) -> Entry {
    Entry {
        command,
        name,
        group,
        shortcuts,
        needs_chat: false,
        in_menu: false,
    }
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn alt(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::ALT, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

const fn ctrl_alt(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT), key)
}

const fn alt_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::ALT.plus(Modifiers::SHIFT), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_name_or_a_shortcut() {
        for (index, entry) in TABLE.iter().enumerate() {
            for other in &TABLE[index + 1..] {
                assert_ne!(entry.command, other.command);
                assert_ne!(entry.name, other.name);
                for shortcut in entry.shortcuts {
                    assert!(
                        !other.shortcuts.contains(shortcut),
                        "{} and {}",
                        entry.name,
                        other.name
                    );
                }
            }
        }
    }
}
