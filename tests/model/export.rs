//! Exported chats: whatever people write, a file says what it says and nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use throng::export::{About, Exporter};
use throng::id::{ChatId, MemberId, MessageId};
use throng::model::{ChatKind, ExportFormat, Message, MessageBody, shown_nick, shown_text};

fn about(name: &str, topic: &str) -> About {
    About {
        chat: ChatId([0xC4; 32]),
        name: name.to_owned(),
        kind: ChatKind::Private,
        topic: topic.to_owned(),
        exported_at: at(1_700_000_000_000),
        zone: TimeZone::fixed(jiff::tz::offset(2)),
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("in range")
}

fn message(member: u8, nick: &str, ms: i64, text: &str) -> Message {
    Message {
        chat: ChatId([0xC4; 32]),
        member: MemberId([member; 32]),
        nick: nick.to_owned(),
        id: MessageId([ms as u8; 32]),
        number: 1,
        at: at(ms),
        body: MessageBody::Message,
        text: text.to_owned(),
        own: false,
        history: false,
        delivery: None,
        place: 0,
    }
}

fn export(format: ExportFormat, about: About, messages: &[Message]) -> String {
    let mut exporter = Exporter::begin(Vec::new(), format, about).expect("memory takes all");
    for message in messages {
        exporter.message(message).expect("memory takes all");
    }
    assert_eq!(exporter.messages(), messages.len() as u64);
    String::from_utf8(exporter.finish().expect("memory takes all")).expect("UTF-8")
}

/// What a page may hold: tags, and the attributes of each.
const TAGS: &[(&str, &[&str])] = &[
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("style", &[]),
    ("body", &[]),
    ("header", &[]),
    ("main", &[]),
    ("footer", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("p", &["class"]),
    ("div", &["class"]),
    ("span", &["class"]),
    ("code", &[]),
    ("bdi", &[]),
    ("time", &["datetime", "title"]),
    ("a", &["href", "rel"]),
];

/// A page as a strict reader sees it.
#[derive(Debug, Default)]
struct Page {
    /// How often each tag was opened.
    tags: BTreeMap<String, usize>,
    /// The values of all attributes, by tag and name.
    attributes: Vec<(String, String, String)>,
    /// The words of every `bdi`, in order.
    words: Vec<String>,
    style: String,
}

/// Reads a page, and fails at whatever is not in [`TAGS`], not nested, or not written out in full.
fn parse(page: &str) -> Page {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let mut seen = Page::default();
    let mut open: Vec<String> = Vec::new();
    while !rest.is_empty() {
        if let Some(tag) = rest.strip_prefix("</") {
            let (name, after) = tag.split_once('>').expect("an end of the tag");
            assert_eq!(open.pop().as_deref(), Some(name), "nested");
            rest = after;
        } else if let Some(tag) = rest.strip_prefix('<') {
            let end = tag.find([' ', '>']).expect("an end of the name");
            let name = tag[..end].to_owned();
            let allowed = TAGS.iter().find(|(allowed, _)| *allowed == name);
            let (_, attributes) = allowed.unwrap_or_else(|| panic!("the tag {name:?}"));
            let mut inside = &tag[end..];
            while let Some(attribute) = inside.strip_prefix(' ') {
                let (key, value) = attribute.split_once("=\"").expect("a quoted value");
                let (value, after) = value.split_once('"').expect("an end of the value");
                assert!(attributes.contains(&key), "the attribute {key:?} of {name}");
                let value = unescaped(value);
                seen.attributes.push((name.clone(), key.to_owned(), value));
                inside = after;
            }
            rest = inside.strip_prefix('>').expect("an end of the tag");
            *seen.tags.entry(name.clone()).or_default() += 1;
            if name == "style" {
                let (style, after) = rest.split_once("</style>").expect("an end of the style");
                seen.style.push_str(style);
                rest = after;
            } else if name != "meta" {
                if name == "bdi" {
                    seen.words.push(String::new());
                }
                open.push(name);
            }
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let words = unescaped(&rest[..end]);
            if open.iter().any(|name| name == "bdi") {
                seen.words.last_mut().expect("opened").push_str(&words);
            }
            rest = &rest[end..];
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    seen
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"']), "{text:?}");
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').expect("an entity");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("the entity {other:?}"),
        });
        rest = after;
    }
    plain + rest
}

/// Checks that a page says these words and nothing else, whatever they are.
fn check_page(name: &str, topic: &str, nick: &str, text: &str) {
    let quiet = export(ExportFormat::Html, about("a", "b"), &[message(1, "c", 0, "d")]);
    let page = export(
        ExportFormat::Html,
        about(name, topic),
        &[message(1, nick, 0, text)],
    );
    for hidden in ['\0', '\u{1B}', '\u{202E}', '\u{2066}', '\u{200F}', '\u{7F}'] {
        assert!(!page.contains(hidden), "{hidden:?}");
    }
    let (quiet, page) = (parse(&quiet), parse(&page));
    assert_eq!(page.style, quiet.style);
    let mut words = vec![shown_nick(name)];
    if !topic.is_empty() {
        words.push(shown_nick(topic));
    }
    words.extend([shown_nick(nick), shown_text(text)]);
    assert_eq!(page.words, words);
    for (tag, count) in &page.tags {
        match tag.as_str() {
            "a" => {}
            // The topic's line.
            "p" | "bdi" => assert_eq!(*count + usize::from(topic.is_empty()), quiet.tags[tag], "{tag}"),
            _ => assert_eq!(Some(count), quiet.tags.get(tag), "{tag}"),
        }
    }
    for (tag, key, value) in &page.attributes {
        if tag == "a" && key == "href" {
            let lower = value.to_lowercase();
            assert!(
                lower.starts_with("http://") || lower.starts_with("https://"),
                "{value}"
            );
            assert!(shown_text(text).contains(value.as_str()), "leads where it says");
        } else if tag == "a" {
            assert_eq!(value, "noopener noreferrer nofollow");
        } else {
            let same = quiet
                .attributes
                .iter()
                .any(|(t, k, v)| (t, k, v) == (tag, key, value));
            assert!(same, "{tag} {key} {value}");
        }
    }
}

#[test]
fn a_page_holds_nothing_of_what_people_try() {
    for hostile in [
        "<script>alert(1)</script>",
        "</style><style>body{display:none}</style>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "&lt;script&gt; &amp; &#60;b&#62;",
        "<!-- --><![CDATA[ ]]>",
        "</bdi></p></div></main></body></html>",
        "javascript:alert(1) data:text/html,<b> vbscript:x",
        "https://example.org/\"onclick=\"alert(1) HTTPS://EXAMPLE.ORG/'x'<y>",
        "http://a.example/?q=<b>&r='\" (https://b.example/)",
        "\u{202E}gnitirw\u{2066} \u{200F}שלום\u{0}\u{1B}[31m",
        "a\nb\n\n\n\n\nc\r\nd\u{2028}e",
        "]]>",
        "",
    ] {
        check_page(hostile, hostile, hostile, hostile);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_whatsoever_makes_a_tag(
        name in any::<String>(), topic in any::<String>(), nick in any::<String>(), text in any::<String>()
    ) {
        check_page(&name, &topic, &nick, &text);
    }

    #[test]
    fn no_mixture_of_signs_makes_a_tag(
        text in "([<>\"'&;/= \n!-]|</?(script|style|bdi|p|a)|on[a-z]{1,5}=|https?://[a-z.]{1,9}|&#?[a-z0-9]{1,4};|\u{202E}|\u{0}){0,40}"
    ) {
        check_page(&text, &text, &text, &text);
    }

    #[test]
    fn no_text_makes_a_line_of_its_own(nick in any::<String>(), text in "(\n|\r|[^\n]|# |> |<|2026-11-25 16:23:35 ){0,40}") {
        let file = export(
            ExportFormat::Text,
            about("Friends", "Horses"),
            &[message(1, &nick, 0, &text), message(2, "bob", 1_000, "after")],
        );
        let own: Vec<&str> = file.split('\n').filter(|line| !line.starts_with("    ")).collect();
        prop_assert_eq!(own.len(), 9, "{}", file);
        prop_assert!(own[6].starts_with("1970-01-01 02:00:00 +02:00 <01010101 "));
        prop_assert!(own[7].ends_with("<02020202 bob> after"));
    }

    #[test]
    fn json_gives_back_what_was_said(nick in any::<String>(), text in any::<String>()) {
        let messages = [message(1, &nick, 1, &text), message(2, "bob", 2, "hi")];
        let file = export(ExportFormat::Json, about(&nick, &text), &messages);
        let object: serde_json::Value = serde_json::from_str(&file).expect("one object");
        let read: Vec<Message> = serde_json::from_value(object["messages"].clone()).expect("messages");
        prop_assert_eq!(&read[..], &messages[..]);
        prop_assert_eq!(&object["name"], &serde_json::json!(nick));
        prop_assert_eq!(&object["count"], 2);
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let text = "see https://example.org/a?b=1&c=2 there";
    let page = export(
        ExportFormat::Html,
        about("Friends", ""),
        &[message(1, "alice", 0, text)],
    );
    let parsed = parse(&page);
    let value = |key: &str| {
        let found = parsed.attributes.iter().filter(|(_, name, _)| name == key);
        found.map(|(_, _, value)| value.clone()).collect::<Vec<_>>()
    };
    let policy = &value("content")[0];
    let hash = data_encoding::BASE64.encode(&throng::crypto::hash(&[parsed.style.as_bytes()]));
    assert_eq!(
        *policy,
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
    );
    for loading in ["url(", "@import", "src=", "http-equiv=\"refresh\""] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert_eq!(value("href"), ["https://example.org/a?b=1&c=2"]);
    assert!(parsed.style.contains("prefers-color-scheme:dark"));
    assert_eq!(value("datetime"), ["1970-01-01T00:00:00Z"]);
    assert_eq!(value("title"), ["1970-01-01 02:00:00 +02:00"]);
    assert!(page.contains("<h2>Thursday, 1 January 1970</h2>") && page.contains("<code>01010101</code>"));
}

#[test]
fn days_and_groups_are_as_in_the_window() {
    const DAY: i64 = 86_400_000;
    let mut action = message(2, "bob", DAY + 2_000, "waves");
    action.body = MessageBody::Action;
    let messages = [
        message(1, "alice", 0, "one"),
        message(1, "alice", 60_000, "two"),
        message(2, "bob", 70_000, "three"),
        message(2, "bob", DAY, "four\nfive"),
        action,
    ];
    let page = parse(&export(ExportFormat::Html, about("Friends", ""), &messages));
    assert_eq!(page.tags["h2"], 2);
    assert_eq!(page.tags["time"], 5);
    assert_eq!(
        page.words,
        [
            "Friends",
            "alice",
            "one",
            "two",
            "bob",
            "three",
            "bob",
            "four\nfive",
            "bob",
            "waves"
        ]
    );
    let text = export(ExportFormat::Text, about("Friends", "Horses"), &messages);
    let expected = "\
# Friends, a private chat
# Topic: Horses
# Chat c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4
# Exported from Throng on 2023-11-15 00:13:20 +02:00

# Thursday, 1 January 1970
1970-01-01 02:00:00 +02:00 <01010101 alice> one
1970-01-01 02:01:00 +02:00 <01010101 alice> two
1970-01-01 02:01:10 +02:00 <02020202 bob> three

# Friday, 2 January 1970
1970-01-02 02:00:00 +02:00 <02020202 bob> four
    five
1970-01-02 02:00:02 +02:00 * 02020202 bob> waves
";
    assert_eq!(text, expected);
}
