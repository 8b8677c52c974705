//! One HTML page for any browser, light or dark. It has no scripts and loads nothing.

use std::fmt;
use std::io::{self, Write};

use data_encoding::BASE64;
use jiff::Zoned;
use linkify::{LinkFinder, LinkKind};

use super::{About, Before, day, kind_words, moment, new_day};
use crate::crypto;
use crate::id::MemberId;
use crate::model::{Message, MessageBody, shown_nick, shown_text};

/// How many colours nicks have, chosen by the first bytes of their keys. As in the window, all have one lightness, which
/// is readable on the page's background.
const HUES: u16 = 36;

/// A message within so many seconds of its author's last one stands below it without a nick of its own, as in the window.
const GROUP_SECS: i64 = 5 * 60;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--text:#1b1d21;--faint:#5b626d;--line:#dfe2e7;--link:#0b57c2;--nick:.48 .14}
@media (prefers-color-scheme:dark){:root{--ground:#15171a;--text:#e6e8eb;--faint:#9aa2ad;--line:#2c3036;--link:#8ab4f8;--nick:.78 .12}}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main,header,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
header{padding-top:2rem;padding-bottom:1rem;border-bottom:1px solid var(--line)}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .25rem;overflow-wrap:anywhere}
header p,footer{color:var(--faint);margin:.25rem 0;font-size:.875rem;overflow-wrap:anywhere}
footer{padding-top:1.5rem;padding-bottom:2rem}
h2{font-size:.875rem;font-weight:600;color:var(--faint);margin:2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
.m{display:grid;grid-template-columns:3.5rem minmax(0,1fr);margin:.125rem 0}
.g{margin-top:.875rem}
time{color:var(--faint);font-size:.8125rem;line-height:1.75;font-variant-numeric:tabular-nums}
.w{grid-column:2;margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
.a{font-style:italic}
.n{font-weight:600;color:oklch(var(--nick) var(--hue));overflow-wrap:anywhere}
code{color:var(--faint);font-size:.75rem;font-family:ui-monospace,monospace;margin-left:.25rem}
a{color:var(--link)}
";

pub(super) fn head(out: &mut impl Write, about: &About) -> io::Result<()> {
    let style = style();
    let hash = BASE64.encode(&crypto::hash(&[style.as_bytes()]));
    let name = shown_nick(&about.name);
    let name = Escaped(&name);
    let exported_at = about.exported_at.to_zoned(about.zone.clone());
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}</title>\n<style>{style}</style>\n</head>\n<body>\n<header>\n<h1><bdi>{name}</bdi></h1>\n"
    )?;
    if !about.topic.is_empty() {
        let topic = shown_nick(&about.topic);
        writeln!(out, "<p>Topic: <bdi>{}</bdi></p>", Escaped(&topic))?;
    }
    writeln!(
        out,
        "<p>This is {}, as it was kept by one of its members and exported from Throng on {}. \
         Times are those of this computer{}; hold the pointer over one to read all of it.</p>\n\
         <p>Chat <code>{}</code></p>\n</header>\n<main>",
        kind_words(about.kind),
        moment(&exported_at),
        Zone(&exported_at),
        about.chat
    )
}

pub(super) fn message(
    out: &mut impl Write,
    message: &Message,
    at: &Zoned,
    before: Option<&Before>,
) -> io::Result<()> {
    let new_day = new_day(at, before);
    if new_day {
        writeln!(out, "<h2>{}</h2>", day(at))?;
    }
    let goes_on = !new_day
        && before.is_some_and(|before| {
            let pause = message.at.as_second() - before.at.as_second();
            before.member == message.member && before.nick == message.nick && pause.abs() <= GROUP_SECS
        });
    let nick = shown_nick(&message.nick);
    let named = Named {
        nick: &nick,
        member: &message.member,
    };
    let group = if goes_on { "" } else { " g" };
    write!(
        out,
        "<div class=\"m{group}\"><time datetime=\"{}\" title=\"{}\">{}</time>",
        message.at,
        moment(at),
        at.strftime("%H:%M")
    )?;
    let text = shown_text(&message.text);
    let text = Linked(&text);
    match message.body {
        MessageBody::Message if goes_on => write!(out, "<p class=\"w\"><bdi>{text}</bdi></p>")?,
        MessageBody::Message => write!(out, "<div>{named}</div><p class=\"w\"><bdi>{text}</bdi></p>")?,
        MessageBody::Action => write!(out, "<p class=\"w a\">{named} <bdi>{text}</bdi></p>")?,
    }
    writeln!(out, "</div>")
}

pub(super) fn end(out: &mut impl Write, messages: u64) -> io::Result<()> {
    let words = if messages == 1 { "message" } else { "messages" };
    writeln!(
        out,
        "</main>\n<footer>{messages} {words}.</footer>\n</body>\n</html>"
    )
}

/// The page's style, the same for every page.
fn style() -> String {
    let hues = (0..HUES).map(|hue| format!(".h{hue}{{--hue:{}}}\n", hue * (360 / HUES)));
    STYLE.to_owned() + &hues.collect::<String>()
}

/// The author of something: nick, colour, and the start of the key.
struct Named<'a> {
    nick: &'a str,
    member: &'a MemberId,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As in the window: the hue comes from the first two bytes.
        let key = u32::from(u16::from_be_bytes([self.member.0[0], self.member.0[1]]));
        let hue = (key * u32::from(HUES)) >> 16;
        write!(
            f,
            "<span class=\"n h{hue}\"><bdi>{}</bdi></span><code>{}</code>",
            Escaped(self.nick),
            self.member.short()
        )
    }
}

/// The name of the zone, where it has one.
struct Zone<'a>(&'a Zoned);

impl fmt::Display for Zone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.time_zone().iana_name() {
            Some(name) => write!(f, " ({})", Escaped(name)),
            None => Ok(()),
        }
    }
}

/// Text between tags or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// Text in which http and https addresses become links, which lead where they say.
struct Linked<'a>(&'a str);

impl fmt::Display for Linked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut finder = LinkFinder::new();
        finder.kinds(&[LinkKind::Url]);
        for span in finder.spans(self.0) {
            let words = Escaped(span.as_str());
            if span.kind().is_some() && is_web(span.as_str()) {
                write!(
                    f,
                    "<a href=\"{words}\" rel=\"noopener noreferrer nofollow\">{words}</a>"
                )?;
            } else {
                write!(f, "{words}")?;
            }
        }
        Ok(())
    }
}

fn is_web(link: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        link.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}
