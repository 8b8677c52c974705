//! What painting asks for. Widgets return these; nothing but [`super::app::App::logic`] carries them out.

use crate::id::{ChatId, MemberId};
use crate::model::{Command, Passphrase, Settings, Status};
use crate::runtime::InviteSource;
use crate::ui::commands::UiCommand;
use crate::ui::composer::ComposerAction;
use crate::ui::files::FileRequest;
use crate::ui::timeline::TimelineAction;

/// What painting asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Something from the table of commands.
    Do(UiCommand),
    /// The first start is over: this is the nick.
    Begin(String),
    /// Bring a chat to the front.
    Select(ChatId),
    /// Close a tab.
    CloseTab(ChatId),
    /// Put a tab at another place.
    MoveTab {
        /// Which.
        chat: ChatId,
        /// Its new place, from 0.
        to: usize,
    },
    /// The reader did something in a timeline.
    Timeline(ChatId, TimelineAction),
    /// The writer did something in a composer.
    Composer(ChatId, ComposerAction),
    /// Try again to reach the members.
    Retry(ChatId),
    /// Leave a chat, with Undo; asked about first where that loses more than the chat.
    Leave(ChatId),
    /// The same, when it has been asked about.
    LeaveUnasked(ChatId),
    /// Everything in a chat is read.
    MarkRead(ChatId),
    /// Stay after all.
    UndoLeave(ChatId),
    /// Show a member's card.
    OpenMember(ChatId, MemberId),
    /// Ask why a member is to be banned.
    OpenBan(ChatId, MemberId),
    /// Send a command whose answer is only news, as to undo something.
    Send(Command),
    /// Put a nick into the composer.
    Mention(ChatId, String),
    /// Begin to change the topic, in the header.
    EditTopic,
    /// End it, with the new topic if it is to be set.
    EndTopicEdit(Option<String>),
    /// Be so, in the chat in front.
    SetStatus(Status),
    /// Keep these settings, and let them take effect.
    Set(Settings),
    /// Send what a dialog asks for and let the dialog wait for the answer.
    Submit(Command),
    /// Say what was done, with a button for the way back.
    Offer {
        /// What was done.
        text: String,
        /// What the button is called.
        button: &'static str,
        /// What it does.
        action: Box<Action>,
    },
    /// Close the search, and go back to where one was before it if that is wanted.
    CloseSearch {
        /// Whether it is.
        go_back: bool,
    },
    /// Show the hit so many places on in the list.
    StepSearch(isize),
    /// Show the hit at this place of the list.
    ShowHit(usize),
    /// Ask for older hits.
    SearchOlder,
    /// Go to the first message of a day.
    GoToDay(ChatId, jiff::civil::Date),
    /// Show the invites of a chat.
    ShowInvites(ChatId),
    /// Make an invite of a chat, or show its link.
    ExportInvite(ChatId),
    /// Show how strangers come into a public chat, and change it.
    ShowDoor(ChatId),
    /// Show who may do what.
    ShowRights(Option<ChatId>),
    /// Ask for a file in the name of the dialog.
    AskFile(FileRequest),
    /// Open the import dialog with this text or path in it.
    OfferImport(InviteSource),
    /// Put this into the clipboard and say so.
    Copy {
        /// What.
        text: String,
        /// What it is called, as in "Copied the invite."
        what: String,
    },
    /// Show or hide the list of chats over a narrow window.
    ToggleChatList,
    /// Open the dialog that takes the profile out of a backup.
    OpenRestore,
    /// Try this passphrase on the locked profile.
    Unlock(Passphrase),
    /// Close the dialog.
    CloseDialog,
    /// Close the quick switcher.
    CloseSwitcher,
    /// Take a toast away.
    DismissToast(u64),
}
