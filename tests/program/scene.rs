//! What most tests do: found a chat, invite, come in, talk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{DEADLINE, Program, text};

/// Who may use the machine: many tests at once, or one that leaves nothing of it to others.
static MACHINE: RwLock<()> = RwLock::new(());

/// A folder for profiles, gone when dropped, and a share of the machine for as long. A test has one of them.
pub(crate) struct Folder<Share> {
    folder: TempDir,
    _share: Share,
}

impl<Share> Folder<Share> {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder for a test that runs beside others.
pub(crate) fn folder() -> Folder<RwLockReadGuard<'static, ()>> {
    let _share = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    Folder { folder, _share }
}

/// A folder for a test that floods: it takes a core for itself, so no other test with a folder runs meanwhile. Neither
/// fails then because of the other.
pub(crate) fn folder_alone() -> Folder<RwLockWriteGuard<'static, ()>> {
    let _share = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    Folder { folder, _share }
}

/// Founds a private chat.
pub(crate) fn create(program: &mut Program, name: &str, nick: &str) -> String {
    let command = json!({ "command": "create_chat", "name": name, "kind": "private", "nick": nick });
    let opened = program.done(command, "chat_opened");
    assert_eq!(
        (opened["name"].as_str(), opened["role"].as_str()),
        (Some(name), Some("founder"))
    );
    text(&opened, "chat")
}

/// Makes an invite, with more fields than the chat.
pub(crate) fn invite(program: &mut Program, chat: &str, more: &Value) -> Value {
    let mut command = json!({ "command": "export_invite", "chat": chat });
    for (field, value) in more.as_object().expect("an object") {
        command[field] = value.clone();
    }
    program.done(command, "invite_exported")
}

/// Comes in by the text of an invite.
pub(crate) fn import_text(program: &mut Program, invite: &str, nick: &str) -> Value {
    program.done(
        json!({ "command": "import_invite", "text": invite, "nick": nick }),
        "chat_opened",
    )
}

/// Says something.
pub(crate) fn say(program: &mut Program, chat: &str, words: &str) -> Value {
    let said = program.done(
        json!({ "command": "say", "chat": chat, "text": words }),
        "message",
    );
    assert_eq!((&said["text"], &said["own"]), (&json!(words), &json!(true)));
    said
}

/// The members' nicks and whether they are online, once `is_it` holds of them.
pub(crate) fn members_until(
    program: &mut Program,
    chat: &str,
    is_it: impl Fn(&[(String, bool)]) -> bool,
) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let answer = program.done(json!({ "command": "members", "chat": chat }), "members");
        let members = answer["members"].as_array().expect("a list");
        let list: Vec<_> = members
            .iter()
            .map(|member| (text(member, "nick"), member["online"] == true))
            .collect();
        if is_it(&list) {
            return answer;
        }
        assert!(Instant::now() < deadline, "the members stay {list:?}");
    }
}

/// The nicks of those who are online.
pub(crate) fn online(list: &[(String, bool)]) -> Vec<&str> {
    list.iter()
        .filter(|(_, online)| *online)
        .map(|(nick, _)| nick.as_str())
        .collect()
}

/// All that a program has of a chat, by id, page by page from the newest. Nothing stands there twice.
pub(crate) fn stored(program: &mut Program, chat: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut before = Value::Null;
    loop {
        let mut command = json!({ "command": "history", "chat": chat, "limit": 1000 });
        if !before.is_null() {
            command["before"] = before;
        }
        let page = program.done(command, "history");
        let messages = page["messages"].as_array().expect("a list");
        let Some(oldest) = messages.first() else {
            return all;
        };
        before = oldest["id"].clone();
        for message in messages {
            let earlier = all.insert(text(message, "id"), message.clone());
            assert_eq!(earlier, None, "it stands there twice");
        }
    }
}
