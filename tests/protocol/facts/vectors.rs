//! Known answers, in `tests/vectors/facts.json` and `docs/vectors.md`: every type of fact put together by hand from named
//! parts, and sets of them with their roots, states and summaries. With `UPDATE_VECTORS=1` both are written anew.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use throng::crypto::{self};
use throng::facts::{Body, Fact, FactSet, State, Summary};

use super::people::{Cast, NOON};
use super::story::{PEOPLE, SALT, Story, id, parts_json};
use crate::page::{self, Parts, hex, joined, line, lines};

#[test]
fn the_known_answers_hold() {
    let story = Story::new();
    let json = format!("{:#}\n", story.json());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/facts.json");
    if page::is_update() {
        std::fs::write(&path, &json).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), json);
    page::assert_part("vectors.md", "facts", &story.markdown());
}

/// What is left of some facts, and what follows from it.
struct KnownSet<'a> {
    name: &'static str,
    given: Vec<&'a str>,
    held: Vec<&'a str>,
    root: [u8; 32],
    state: Vec<u8>,
    summary: Vec<u8>,
    /// In which order who has nothing is told it.
    told: Vec<&'a str>,
    /// State and summary, of one set.
    by_hand: Option<(Parts, Parts)>,
}

impl KnownSet<'_> {
    fn json(&self) -> Value {
        let state = match &self.by_hand {
            Some((state, _)) => parts_json(state),
            None => json!(hex(&self.state)),
        };
        let mut json = json!({
            "name": self.name,
            "given": self.given,
            "held": self.held,
            "root": hex(&self.root),
            "state": state,
            "summary": hex(&self.summary),
            "lacks_for_who_has_nothing": self.told,
        });
        if let Some((_, summary)) = &self.by_hand {
            json["summary_parts"] = parts_json(summary);
        }
        json
    }

    fn write(&self, page: &mut String) {
        let names = |names: &[&str]| match names {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        };
        write!(page, "\n### Set: {}\n\n", self.name).unwrap();
        writeln!(page, "- Given, in any order: {}.", names(&self.given)).unwrap();
        writeln!(page, "- Held: {}.", names(&self.held)).unwrap();
        write!(
            page,
            "- Told, in this order, to a member who has nothing: {}.\n\n",
            names(&self.told)
        )
        .unwrap();
        page.push_str("```text\n");
        line(page, "root", &hex(&self.root));
        match &self.by_hand {
            None => {
                line(page, "state", &hex(&self.state));
                line(page, "summary", &hex(&self.summary));
            }
            Some((state, summary)) => {
                page.push_str("```\n\nThe state:\n\n```text\n");
                lines(page, state);
                page.push_str("```\n\nThe summary:\n\n```text\n");
                lines(page, summary);
            }
        }
        page.push_str("```\n");
    }
}

impl Story {
    fn json(&self) -> Value {
        let people = PEOPLE.map(|name| {
            let person = self.person(name);
            json!({
                "name": name,
                "seed": hex(&person.key.seed()[..]),
                "member": person.id.to_string(),
                "credential": hex(&person.credential.encode()),
            })
        });
        let facts = self.facts.iter().map(|known| {
            json!({
                "name": known.name,
                "by": known.by,
                "signed": parts_json(&known.signed),
                "bytes": hex(&known.fact.encode()),
                "id": known.fact.id(&self.cast.chat).to_string(),
            })
        });
        json!({
            "about": "Known answers for facts, all bytes in hex. 'signed' are the parts that stand one after the other; \
                      the signature is over 'throng/1 fact', a zero byte, the chat's key and these, and stands behind them \
                      (an equivocation has none of its own). Each set is what is left when its facts are taken, in any order.",
            "chat": {"seed": hex(&self.cast.chat_key.seed()[..]), "chat": self.cast.chat.to_string()},
            "people": people,
            "facts": facts.collect::<Vec<_>>(),
            "sets": self.sets().iter().map(KnownSet::json).collect::<Vec<_>>(),
        })
    }

    fn sets(&self) -> Vec<KnownSet<'_>> {
        let all: Vec<&str> = self.facts.iter().map(|known| known.name).collect();
        let without = |left_out: &[&str]| -> Vec<&str> {
            all.iter()
                .filter(|name| !left_out.contains(name))
                .copied()
                .collect()
        };
        let sets = [
            ("nothing", vec![]),
            (
                "one of each, but the demotion and the other branch",
                without(&["demote", "other branch"]),
            ),
            ("Bea has said two things under her number 4", without(&["demote"])),
            (
                "she is demoted, and her number 2 was the last good one",
                all.clone(),
            ),
            (
                "her number 3 has not come",
                without(&["demote", "other branch", "lift"]),
            ),
            ("nobody made her a moderator", without(&["grant"])),
        ];
        sets.into_iter()
            .enumerate()
            .map(|(at, (name, given))| {
                let set = self.set_of(&given);
                let mut backwards = given.clone();
                backwards.reverse();
                assert_eq!(set.root(), self.set_of(&backwards).root(), "{name}");
                let (state, summary) = (State::of(&set).to_bytes(), set.summary(SALT)[0].encode());
                // One of them is put together by hand.
                let by_hand = (at == 1).then(|| (self.state_by_hand(&set), self.summary_by_hand()));
                if let Some((state_parts, summary_parts)) = &by_hand {
                    assert_eq!(hex(&joined(state_parts)), hex(&state));
                    assert_eq!(hex(&joined(summary_parts)), hex(&summary));
                }
                KnownSet {
                    name,
                    held: set.iter().map(|held| self.name_of(&held.fact)).collect(),
                    root: set.root(),
                    told: self.lacking(&set),
                    given,
                    state,
                    summary,
                    by_hand,
                }
            })
            .collect()
    }

    /// The summary of one of each, in parts: the founder has said five things, Bea six.
    fn summary_by_hand(&self) -> Parts {
        let id = |name: &str| self.get(name).fact.id(&self.cast.chat).0;
        let digests = |facts: &[&str]| -> Vec<[u8; 8]> {
            let mut state = crypto::hash(&[b"throng/1 chain\0", &SALT]);
            let digests = facts.iter().map(|name| {
                let with_fact = crypto::hash(&[&state, &id(name)]);
                state = crypto::hash(&[&with_fact]);
                state[..8].try_into().unwrap()
            });
            digests.collect()
        };
        let founders = digests(&["grant", "door", "grant of observer", "history rule", "checkpoint"]);
        let beas = digests(&["ban", "second ban", "lift", "topic", "confirm", "close"]);
        let loose = |name: &str| {
            let hash = crypto::hash(&[b"throng/1 loose\0", &SALT, &id(name)]);
            hash[..8].to_vec()
        };
        vec![
            ("flags", vec![1]),
            ("salt", SALT.to_vec()),
            ("founder's last seq", vec![0, 0, 0, 5]),
            ("digest up to 5", founders[4].to_vec()),
            ("digest up to 4", founders[3].to_vec()),
            ("digest up to 2", founders[1].to_vec()),
            ("short ids: count", vec![2]),
            ("of the member's topic", loose("member's topic")),
            ("of the equivocation", loose("equivocation")),
            ("from", vec![0; 32]),
            ("to", vec![0xFF; 32]),
            ("Bea", self.bea.id.0.to_vec()),
            ("her last seq", vec![0, 0, 0, 6]),
            ("digest up to 6", beas[5].to_vec()),
            ("digest up to 5", beas[4].to_vec()),
            ("digest up to 3", beas[2].to_vec()),
        ]
    }

    fn markdown(&self) -> String {
        let mut page = String::from("\n### People of the facts\n\n```text\n");
        line(&mut page, "chat: secret", &hex(&self.cast.chat_key.seed()[..]));
        line(&mut page, "chat: public", &self.cast.chat.to_string());
        for name in PEOPLE {
            let person = self.person(name);
            line(&mut page, name, "");
            line(&mut page, "  secret", &hex(&person.key.seed()[..]));
            line(&mut page, "  member", &person.id.to_string());
            line(&mut page, "  credential", &hex(&person.credential.encode()));
        }
        page.push_str("```\n");
        for known in &self.facts {
            let (name, by) = (known.name, known.by);
            write!(page, "\n### Fact: {name}\n\n").unwrap();
            let signatures = match known.fact.body {
                Body::Fork(_) => {
                    format!("About {by}. Its signatures are those of the two says; it has none of its own.")
                }
                _ => format!("Signed by {by}, label `throng/1 fact`."),
            };
            write!(page, "{signatures}\n\n```text\n").unwrap();
            lines(&mut page, &known.signed);
            if !matches!(known.fact.body, Body::Fork(_)) {
                line(&mut page, "= signature", &hex(&known.fact.signature));
            }
            line(&mut page, "= id", &known.fact.id(&self.cast.chat).to_string());
            page.push_str("```\n");
        }
        for set in self.sets() {
            set.write(&mut page);
        }
        page.push('\n');
        page
    }

    /// In which order who has nothing is told a set.
    fn lacking(&self, set: &FactSet) -> Vec<&str> {
        let nothing: Vec<Summary> = self.set_of(&[]).summary(SALT);
        set.missing_for(&nothing[0])
            .iter()
            .map(|held| self.name_of(&held.fact))
            .collect()
    }

    fn name_of(&self, fact: &Fact) -> &str {
        self.facts.iter().find(|known| known.fact == *fact).unwrap().name
    }

    /// The state of one of each, in parts.
    fn state_by_hand(&self, set: &FactSet) -> Parts {
        let one = || vec![0, 0, 0, 1];
        let none = || vec![0; 4];
        let of = |name: &str| self.get(name).fact.id(&self.cast.chat).0.to_vec();
        let mut named = [(self.bea.id, [2, 255], none()), (self.max.id, [0, 1], one())];
        named.sort();
        let mut parts: Parts = vec![
            ("version", vec![1]),
            ("chat", self.cast.chat.0.to_vec()),
            ("is public", vec![0]),
            ("founder", id(&self.cast.founder.id)),
            ("epoch", set.epoch().to_be_bytes().to_vec()),
            ("roles: count", vec![0, 0, 0, 2]),
        ];
        for (member, [role, granted], counter) in named {
            parts.extend([
                ("member", id(&member)),
                ("role", vec![role]),
                ("granted", vec![granted]),
                ("counter", counter),
            ]);
        }
        let ban = joined(&self.get("ban").signed[6..].to_vec());
        parts.extend([
            ("bans: count", one()),
            ("fact", of("ban")),
            ("by", id(&self.bea.id)),
            ("role", vec![2]),
            ("epoch", one()),
            ("at", NOON.to_be_bytes().to_vec()),
            ("holds against whom it names", vec![1]),
            ("length", (ban.len() as u16).to_be_bytes().to_vec()),
            ("body", ban),
            // Max was made an observer, so his topic does not count.
            ("topic: locked", vec![0]),
            ("topic: count", one()),
            ("fact", of("topic")),
            ("by", id(&self.bea.id)),
            ("at", NOON.to_be_bytes().to_vec()),
            ("counter", one()),
            ("length", vec![0, 11]),
            ("text", b"Tea at five".to_vec()),
            ("closed invites: count", one()),
            ("invite", Cast::invite_id(80).0.to_vec()),
            ("slots: count", one()),
            ("invite", Cast::invite_id(80).0.to_vec()),
            ("slot", vec![0, 1]),
            ("member", id(&self.max.id)),
            ("door: counter", one()),
            ("mode", vec![3]),
            ("work bits", vec![20]),
            ("minutes", vec![0, 15]),
            ("rate", vec![0, 60]),
            ("history rule: counter", one()),
            ("days", vec![0, 7]),
            ("equivocations: count", one()),
            ("member", id(&self.nina.id)),
            ("client_id", vec![6; 32]),
            ("number", vec![0, 0, 0, 3]),
            ("forked logs: count", none()),
        ]);
        parts
    }
}
