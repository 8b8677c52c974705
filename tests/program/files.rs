//! Files that the program writes where it is told to, by JSON lines: never over its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::Program;
use crate::scene::{create, folder, say, stored};

/// A path from where the tests run, and so the program.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().expect("a folder");
    let up: PathBuf = here.iter().skip(1).map(|_| "..").collect();
    up.join(path.strip_prefix("/").expect("from the root"))
}

/// The commands that write a file, to this path.
fn commands(chat: &str, path: &Path) -> Vec<Value> {
    let export = |format: &str| json!({ "command": "export", "chat": chat, "path": path, "format": format });
    vec![
        export("html"),
        export("text"),
        export("json"),
        json!({ "command": "backup", "path": path, "passphrase": "boat" }),
        json!({ "command": "export_invite", "chat": chat, "path": path }),
    ]
}

#[test]
fn no_path_leads_to_the_profile_s_own_files() {
    let folder = folder();
    let profile = folder.path().join("ann");
    let mut ann = Program::start("ann", &profile);
    let chat = create(&mut ann, "Friends", "ann");
    let said = say(&mut ann, &chat, "kept");
    let database = profile.join("throng.db");
    assert!(database.exists() && profile.join("throng.db-wal").exists());

    let at = |name: &str| folder.path().join(name);
    fs::hard_link(&database, at("hard")).expect("linked");
    let mut paths = vec![
        database.clone(),
        profile.join("throng.db-wal"),
        profile.join("throng.db-shm"),
        profile.join("throng.db-journal"),
        profile.join("THRONG.DB"),
        profile.join("lock"),
        profile.join("damaged"),
        profile.join("backup.tmp"),
        profile.join("../ann/throng.db"),
        relative(&database),
        at("hard"),
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;

        symlink(&database, at("soft")).expect("linked");
        symlink(at("soft"), at("softer")).expect("linked");
        symlink(&profile, at("folder")).expect("linked");
        paths.extend([at("soft"), at("softer"), at("folder/throng.db")]);
    }
    for path in &paths {
        for command in commands(&chat, path) {
            let (code, message) = ann.fails(command.clone());
            assert_eq!(code, "file", "{command}: {message}");
            assert!(message.contains("Throng's own profile"), "{command}: {message}");
        }
    }
    say(&mut ann, &chat, "kept as well");

    // Elsewhere in the folder they may.
    for (number, command) in commands(&chat, Path::new("")).into_iter().enumerate() {
        let mut command = command;
        let path = profile.join(format!("mine {number}"));
        command["path"] = json!(path);
        let answer = ann.ask(command);
        assert_ne!(answer["event"], json!("error"), "{answer}");
        assert!(path.exists());
    }
    ann.shut_down();

    let mut ann = Program::start("ann", &profile);
    ann.event("chat_opened", &chat);
    let words: Vec<Value> = stored(&mut ann, &chat)
        .into_values()
        .map(|message| message["text"].clone())
        .collect();
    assert!(words.contains(&said["text"]) && words.contains(&json!("kept as well")));
    assert!(!profile.join("damaged").exists());
    ann.shut_down();
}
