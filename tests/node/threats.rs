//! What people will try on a chat, packet by packet, as far as no other test file has it: `docs/security.md` lists all
//! of it with the tests that show what is done about it. The rows in comments are its rows.

use std::net::SocketAddr;
use std::time::Duration;

use throng::crypto::SigningKey;
use throng::facts::{self, Action, Denied, Fact, Place, Role};
use throng::id::{ClientId, MemberId};
use throng::invite::{Chain, Credential, InviteKey, SessionCertificate};
use throng::node::{Input, Moderation, NodeEvent, NodeKind, StoredFact};
use throng::wire::{self, Body, Facts, Keepalive, Packet, Say};

use crate::common::hand::{Bench, Member, NOW_MS, Peer, address, reflected};
use crate::common::{Chat, classic, secs};

fn member_id(member: &Member) -> MemberId {
    MemberId(member.key.public())
}

fn message(text: &str) -> Body {
    Body::Message(text.into())
}

/// Messages that the node has told of, in order.
fn texts(bench: &Bench) -> Vec<String> {
    bench.texts().into_iter().map(str::to_owned).collect()
}

fn says_of(packets: &[Packet]) -> Vec<&Say> {
    let says = packets.iter().map(|packet| match packet {
        Packet::Say(say) => Some(say),
        _ => None,
    });
    says.flatten().collect()
}

fn has_asked_for_facts(packets: &[Packet]) -> bool {
    packets.iter().any(|packet| matches!(packet, Packet::FactsAsk(_)))
}

fn ban(member: MemberId) -> facts::Body {
    facts::Body::Ban(facts::Ban {
        member,
        hide_all: false,
        with_invite: None,
        kept: Vec::new(),
        reason: "because".into(),
    })
}

/// The founder's first fact.
fn founders(chat: &Chat, body: facts::Body) -> Fact {
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    Fact::sign(&chat.founder, &chat.id, place, NOW_MS, body).expect("a fact")
}

/// A keepalive that asks nothing and names a root.
fn vouches(member: &mut Member, bench: &mut Bench, facts_root: [u8; 32]) {
    let keepalive = Keepalive {
        t: member.t(),
        echo: 0,
        echoed: 0,
        facts_root,
        roster: [0; 16],
    };
    member.send(bench, &Packet::Keepalive(keepalive));
}

/// A member's node on the bench, not the founder's.
fn members_bench(chat: &mut Chat) -> (Bench, SigningKey) {
    let invite = chat.invite(1, 0, Vec::new());
    let (mut config, key) = chat.newcomer("member", &invite, 0);
    if let NodeKind::Signed(state) = &mut config.kind {
        (state.charter, state.joined) = (Some(chat.charter.clone()), true);
    }
    (Bench::new(config), key)
}

// Row 1.

#[test]
fn whatever_a_node_sends_over_a_link_does_nothing_when_it_comes_back() {
    let mut chat = Chat::new(1);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let (text, action) = ("hello".to_owned(), false);
    bench.tell(Input::Say { text, action });
    bench.tell(Input::Moderate(Moderation::SetRole(
        member_id(&member),
        Role::Moderator,
    )));
    bench.pass(secs(16));
    let sent = bench.sent_to(member.peer.address);
    let kinds: Vec<&str> = sent
        .iter()
        .map(|bytes| match member.peer.open(bytes) {
            Packet::Say(_) => "say",
            Packet::Keepalive(_) => "keepalive",
            Packet::Facts(_) => "facts",
            Packet::RosterAsk(_) => "roster_ask",
            _ => "other",
        })
        .collect();
    for kind in ["say", "keepalive", "facts", "roster_ask"] {
        assert!(kinds.contains(&kind), "{kind} is among {kinds:?}");
    }
    let links = bench.node.links();
    bench.events.clear();
    bench.sent.clear();
    for from in [member.peer.address, address(9)] {
        for bytes in &sent {
            bench.receive(from, &reflected(bytes));
        }
    }
    assert!(bench.events.is_empty() && bench.sent.is_empty());
    assert_eq!(bench.node.links(), links);
    // And the link is not taken to live by its own echoes.
    let mut echoing = 0;
    while !bench.node.links().is_empty() && echoing < 60 {
        echoing += 1;
        bench.pass(secs(1));
        let (text, action) = (format!("hello {echoing}"), false);
        bench.tell(Input::Say { text, action });
        for bytes in bench.sent_to(member.peer.address) {
            bench.receive(member.peer.address, &reflected(&bytes));
        }
    }
    assert!(echoing < 60, "the link ends for silence");
}

// Row 2.

#[test]
fn nothing_recorded_changes_anything_when_it_comes_again() {
    let mut chat = Chat::new(2);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut other = Member::link(&mut chat, &mut bench, 2);
    let mut member = Member::new(&mut chat, 1);
    let knock = member.knock(&chat);
    let mut recorded = vec![knock.clone()];
    bench.receive(member.peer.address, &knock);
    let welcome = bench.sent_to(member.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = member.peer.open(&welcome) else {
        panic!("a welcome")
    };
    member.token = welcome.token;
    let open = wire::Link {
        t: member.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    let ask = wire::RosterAsk {
        t: member.t(),
        after: ClientId([0; 32]),
        to: ClientId([0xFF; 32]),
        known: Vec::new(),
    };
    let keepalive = Keepalive {
        t: member.t(),
        echo: 5,
        echoed: 0,
        facts_root: [3; 32],
        roster: [3; 16],
    };
    let packets = [
        Packet::Link(open),
        Packet::RosterAsk(ask),
        Packet::Keepalive(keepalive),
        member.say(1, Body::Name("Ann".into()), true),
        member.say(2, Body::Status(1), false),
        member.say(3, message("once"), false),
    ];
    for packet in &packets {
        let bytes = member.peer.seal(bench.node.client_id(), packet);
        bench.receive(member.peer.address, &bytes);
        recorded.push(bytes);
    }
    assert_eq!(texts(&bench), ["once"]);
    bench.pass(secs(3));
    let (links, members) = (bench.node.links(), bench.node.members());
    other.heard(&mut bench);
    bench.events.clear();
    bench.sent.clear();
    for from in [member.peer.address, address(9)] {
        for bytes in &recorded {
            bench.receive(from, bytes);
        }
    }
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    assert!(bench.sent.is_empty(), "nothing is answered or passed on");
    assert_eq!((bench.node.links(), bench.node.members()), (links, members));
}

// Row 3.

#[test]
fn addresses_of_one_network_get_few_answers_in_a_classic_chat() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.tell(Input::Admit(peer.client_id));
    let mut answers = 0;
    for host in 1..=200 {
        let ping_id = [host; 8];
        let ask = peer.seal(bench.node.client_id(), &Packet::GetNodes { ping_id });
        let from = SocketAddr::from(([203, 0, 113, host], 1));
        bench.receive(from, &ask);
        let sent = bench.sent_to(from);
        let mut is_answer = |bytes: &Vec<u8>| matches!(peer.open(bytes), Packet::SendNodes(_));
        answers += sent.iter().filter(|bytes| is_answer(bytes)).count();
    }
    assert_eq!((answers, bench.dropped("answer_budget")), (20, 180));
}

// Row 9.

#[test]
fn a_link_with_other_facts_is_asked_for_them_at_once_and_at_each_keepalive() {
    let mut chat = Chat::new(9);
    let mut bench = Bench::new(chat.founder_config("founder"));
    // Its hello names another root than ours.
    let mut member = Member::new(&mut chat, 1);
    let Packet::Hello(mut hello) = member.hello() else {
        panic!("a hello")
    };
    hello.facts_root = [1; 32];
    let knock = member.peer.seal_to_gate(&chat, &Packet::Hello(hello));
    bench.receive(member.peer.address, &knock);
    let welcome = bench.sent_to(member.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = member.peer.open(&welcome) else {
        panic!("a welcome")
    };
    assert_eq!(welcome.facts_root, bench.node.facts_root());
    member.token = welcome.token;
    let open = wire::Link {
        t: member.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    member.send(&mut bench, &Packet::Link(open));
    assert!(
        has_asked_for_facts(&member.heard(&mut bench)),
        "by the hello's root"
    );

    let mut same = Member::link(&mut chat, &mut bench, 2);
    assert!(!has_asked_for_facts(&same.heard(&mut bench)), "it named our own");
    bench.pass(secs(3));
    vouches(&mut same, &mut bench, [2; 32]);
    assert!(
        has_asked_for_facts(&same.heard(&mut bench)),
        "by the keepalive's root"
    );
}

#[test]
fn a_ban_that_a_lying_link_hides_comes_by_any_honest_one() {
    let mut chat = Chat::new(10);
    let (mut bench, _) = members_bench(&mut chat);
    let mut liar = Member::link(&mut chat, &mut bench, 1);
    let mut honest = Member::link(&mut chat, &mut bench, 2);
    let victim = Member::link(&mut chat, &mut bench, 3);
    let fact = founders(&chat, ban(member_id(&victim)));
    // The liar says that it has what we have. The other names its own root, and answers when asked.
    for _ in 0..3 {
        bench.pass(secs(5));
        let own = bench.node.facts_root();
        vouches(&mut liar, &mut bench, own);
    }
    honest.heard(&mut bench);
    vouches(&mut honest, &mut bench, [7; 32]);
    assert!(has_asked_for_facts(&honest.heard(&mut bench)));
    honest.facts(&mut bench, &[fact]);
    let who = bench.node.admitted(&member_id(&victim)).expect("met");
    let state = bench.node.state().expect("a state");
    assert_eq!(state.may(&who, Action::Speak), Err(Denied::Banned));
    bench.pass(secs(2));
    let linked = bench.node.links();
    assert!(linked.iter().all(|link| link.member != member_id(&victim)));
}

#[test]
fn moderation_is_stale_as_long_as_only_those_of_one_invite_confirm_it() {
    let mut chat = Chat::new(11);
    let (mut bench, _) = members_bench(&mut chat);
    let liars = chat.invite(0, 0, Vec::new());
    let mut liars: Vec<Member> = (1..=3).map(|n| Member::by(&mut chat, &liars, n)).collect();
    for liar in &mut liars {
        liar.come_in(&chat, &mut bench);
    }
    let mut other = Member::link(&mut chat, &mut bench, 9);
    let stale = |bench: &Bench| {
        let told = bench.events.iter().rev().find_map(|event| match event {
            NodeEvent::ModerationStale(stale) => Some(*stale),
            _ => None,
        });
        told.unwrap_or(false)
    };
    for _ in 0..20 {
        bench.pass(secs(5));
        for liar in &mut liars {
            let own = bench.node.facts_root();
            vouches(liar, &mut bench, own);
        }
        vouches(&mut other, &mut bench, [8; 32]);
    }
    assert!(stale(&bench), "three agree, of one invite; a fourth does not");
    let own = bench.node.facts_root();
    vouches(&mut other, &mut bench, own);
    bench.pass(secs(5));
    assert!(!stale(&bench), "two of different invites agree");
}

// Row 10.

#[test]
fn a_corrupted_copy_that_comes_first_does_not_keep_the_true_one_out() {
    let mut chat = Chat::new(12);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut author = Member::link(&mut chat, &mut bench, 1);
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let mut other = Member::link(&mut chat, &mut bench, 3);
    author.send(&mut bench, &author.say(1, Body::Name("Ann".into()), true).clone());
    other.heard(&mut bench);
    let truth = author.say(2, message("the truth"), false);
    let Packet::Say(mut corrupted) = truth.clone() else {
        panic!("a say")
    };
    corrupted.signature[5] ^= 1;
    for _ in 0..10 {
        relay.send(&mut bench, &Packet::Say(corrupted.clone()));
    }
    let Packet::Say(mut altered) = truth.clone() else {
        panic!("a say")
    };
    altered.signed.body = message("a lie");
    relay.send(&mut bench, &Packet::Say(altered));
    assert_eq!(bench.dropped("bad_signature"), 11);
    author.send(&mut bench, &truth);
    assert_eq!(texts(&bench), ["the truth"]);
    let heard = other.heard(&mut bench);
    let passed_on = says_of(&heard);
    assert_eq!(passed_on.len(), 1, "and only that is passed on");
    assert_eq!(passed_on[0].signed.body, message("the truth"));
}

// Row 12.

/// The proof that a member said two things under number 5, from a node that heard both, with what admits the member.
fn proof_of_fork(chat: &mut Chat, liar: &mut Member) -> (Fact, Vec<u8>) {
    let mut elsewhere = Bench::new(chat.founder_config("founder"));
    liar.come_in(chat, &mut elsewhere);
    liar.says(&mut elsewhere, 5, "to you");
    liar.says(&mut elsewhere, 5, "to the others");
    let stored = elsewhere.events.iter().find_map(|event| match event {
        NodeEvent::FactsChanged { added, .. } => added.first().cloned(),
        _ => None,
    });
    let stored = stored.expect("a proof");
    let fact = Fact::decode(&stored.fact).expect("a fact");
    (fact, stored.credential.expect("what admits them"))
}

#[test]
fn who_learns_of_a_fork_by_its_proof_alone_goes_by_it_and_after_a_restart_too() {
    let mut chat = Chat::new(13);
    let mut liar = Member::new(&mut chat, 1);
    let (proof, credential) = proof_of_fork(&mut chat, &mut liar);

    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let packet = Facts {
        t: relay.t(),
        facts: vec![[&[0], credential.as_slice()].concat(), proof.encode()],
    };
    relay.send(&mut bench, &Packet::Facts(packet));
    let member = member_id(&liar);
    assert!(bench.events.contains(&NodeEvent::Forked { member }));
    let say_on = |bench: &mut Bench, relay: &mut Member| {
        let four = liar.say(4, message("before"), true);
        let six = liar.say(6, message("after"), true);
        relay.send(bench, &four);
        relay.send(bench, &six);
    };
    say_on(&mut bench, &mut relay);
    assert_eq!(texts(&bench), ["before"]);
    assert_eq!(bench.dropped("session_over"), 1);

    let stored = bench.events.iter().find_map(|event| match event {
        NodeEvent::FactsChanged { added, .. } => Some(added.clone()),
        _ => None,
    });
    let mut config = chat.founder_config("founder");
    if let NodeKind::Signed(state) = &mut config.kind {
        state.facts = stored.expect("to be kept");
    }
    let mut again = Bench::with_seed(config, 44);
    let mut relay = Member::link(&mut chat, &mut again, 3);
    say_on(&mut again, &mut relay);
    assert_eq!(texts(&again), ["before"], "after a restart");
}

#[test]
fn a_forged_proof_of_a_fork_accuses_nobody() {
    let mut chat = Chat::new(14);
    let mut liar = Member::new(&mut chat, 1);
    let (proof, _) = proof_of_fork(&mut chat, &mut liar);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    let victim = Member::link(&mut chat, &mut bench, 3);
    let mut forged = proof;
    forged.issuer = member_id(&victim);
    relay.facts(&mut bench, &[forged]);
    let forked = |event: &NodeEvent| matches!(event, NodeEvent::Forked { .. });
    assert!(!bench.events.iter().any(forked));
    assert_eq!(bench.dropped("bad_signature"), 1);
}

// Row 13.

#[test]
fn nobody_takes_a_session_by_saying_that_it_is_theirs() {
    let mut chat = Chat::new(15);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut thief = Member::link(&mut chat, &mut bench, 1);
    let mut victim = Member::link(&mut chat, &mut bench, 2);
    let mut relay = Member::link(&mut chat, &mut bench, 4);
    victim.send(&mut bench, &victim.say(1, Body::Name("Ann".into()), true).clone());
    // A certificate of the thief's over the victim's session, in a say and in a hello to the gate: who knows the gate can
    // seal that in anybody's name.
    let claim = |of: &Member| {
        let chain = Chain::decode(&thief.chain).expect("its own");
        let session = SessionCertificate::sign(&thief.key, &chat.id, &of.peer.client_id, NOW_MS, 0);
        Chain { session, ..chain }.encode()
    };
    let mut false_victim = Member::with(&chat, thief.key.clone(), credential_of(&thief), 2);
    false_victim.chain = claim(&victim);
    let stolen = false_victim.say(1, message("it is mine"), true);
    thief.send(&mut bench, &stolen);
    // Its nonces are the victim's own, made of the same seed: the first was used.
    false_victim.knock(&chat);
    let knock = false_victim.knock(&chat);
    bench.receive(address(77), &knock);
    assert_eq!(bench.dropped("claimed"), 2);
    for number in 2..=9 {
        relay.send(
            &mut bench,
            &victim.say(number, message("still Ann"), false).clone(),
        );
    }
    assert_eq!(texts(&bench), ["still Ann"; 8]);
    let said_by_victim = |event: &NodeEvent| match event {
        NodeEvent::Message(said) => said.member == member_id(&victim),
        _ => true,
    };
    assert!(bench.events.iter().all(said_by_victim));
}

#[test]
fn who_has_a_sessions_key_gets_it_back_from_who_claimed_it_first() {
    let mut chat = Chat::new(16);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut thief = Member::link(&mut chat, &mut bench, 1);
    let mut victim = Member::new(&mut chat, 2);
    let chain = Chain::decode(&thief.chain).expect("its own");
    let session = SessionCertificate::sign(&thief.key, &chat.id, &victim.peer.client_id, NOW_MS, 0);
    let mut false_victim = Member::with(&chat, thief.key.clone(), credential_of(&thief), 2);
    false_victim.chain = Chain { session, ..chain }.encode();
    thief.send(
        &mut bench,
        &false_victim.say(1, message("it is mine"), true).clone(),
    );

    // A hello that is sealed to our session, not to the gate: only who has the key can do that.
    let hello = victim.hello();
    let bytes = victim.peer.seal(bench.node.client_id(), &hello);
    bench.receive(victim.peer.address, &bytes);
    let welcome = bench.sent_to(victim.peer.address).pop().expect("a welcome");
    let Packet::Welcome(welcome) = victim.peer.open(&welcome) else {
        panic!("a welcome")
    };
    victim.token = welcome.token;
    let open = wire::Link {
        t: victim.t(),
        op: wire::LinkOp::Open,
        tree: 0,
        reason: 0,
    };
    victim.send(&mut bench, &Packet::Link(open));
    bench.events.clear();
    victim.says(&mut bench, 2, "it is mine again");
    assert_eq!(texts(&bench), ["it is mine again"]);
    assert_eq!(bench.node.links().len(), 2);
}

#[test]
fn a_relay_that_was_lied_to_about_a_session_stays_a_link() {
    let mut chat = Chat::new(17);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let victim = Member::link(&mut chat, &mut bench, 2);
    let thief = Member::new(&mut chat, 3);
    let false_victim = Member::with(&chat, thief.key.clone(), credential_of(&thief), 2);
    for number in 1..=200 {
        let stolen = false_victim.say(number, message("it is mine"), false);
        relay.send(&mut bench, &stolen);
    }
    assert_eq!(bench.dropped("bad_signature"), 20, "few are looked into");
    assert_eq!(bench.dropped("forged_budget"), 180);
    assert_eq!(bench.node.links().len(), 2);
    bench.pass(secs(2));
    relay.send(&mut bench, &victim.say(1, message("me"), false).clone());
    assert_eq!(texts(&bench), ["me"]);
}

fn credential_of(member: &Member) -> Credential {
    Chain::decode(&member.chain).expect("its own").credential
}

#[test]
fn what_was_said_before_a_restart_is_not_said_anew() {
    let mut chat = Chat::new(18);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    member.says(&mut bench, 1, "once");
    let ids = bench.events.iter().filter_map(|event| match event {
        NodeEvent::Message(said) => Some(said.id),
        _ => None,
    });
    let ids: Vec<_> = ids.collect();
    let mut again = Bench::with_seed(chat.founder_config("founder"), 45);
    again.node.has_seen(ids);
    member.come_in(&chat, &mut again);
    member.says(&mut again, 1, "once");
    assert!(texts(&again).is_empty());
    member.says(&mut again, 2, "and more");
    assert_eq!(texts(&again), ["and more"]);
}

#[test]
fn an_earlier_session_that_is_heard_late_does_not_take_the_place_of_the_later_one() {
    let mut chat = Chat::new(26);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut relay = Member::link(&mut chat, &mut bench, 1);
    let new = Member::new(&mut chat, 2);
    let mut old = Member::with(&chat, new.key.clone(), credential_of(&new), 3);
    let (credential, client_id) = (credential_of(&new), old.peer.client_id);
    let session = SessionCertificate::sign(&old.key, &chat.id, &client_id, NOW_MS - 60_000, 0);
    old.chain = Chain { credential, session }.encode();
    relay.send(&mut bench, &new.say(1, Body::Name("Ann".into()), true));
    for body in [Body::Name("Old".into()), Body::Status(2), Body::Quit] {
        relay.send(&mut bench, &old.say(1 + u32::from(body.id()), body, true));
        let members = bench.node.members();
        let ann = members.iter().find(|known| known.member == member_id(&new));
        let ann = ann.expect("met");
        assert_eq!((ann.nick.as_str(), ann.status, ann.online), ("Ann", 0, true));
    }
}

// Row 14.

/// A say with a time of its author's choice.
fn said_at(member: &Member, number: u32, at_ms: u64, text: &str) -> Packet {
    let signed = wire::SignedSay {
        client_id: member.peer.client_id,
        number,
        hlc: at_ms << 16,
        after: [0; 8],
        body: message(text),
    };
    let signature = member.key.sign("throng/1 say", &member.chat, &signed.encode());
    Packet::Say(Say {
        tree: 0,
        hops: 0,
        chain: Some(member.chain.clone()),
        signed,
        signature,
    })
}

#[test]
fn nothing_is_said_before_its_session_began_nor_shown_in_the_future() {
    let mut chat = Chat::new(19);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    bench.pass(secs(600));
    bench.events.clear();
    // The link has ended for silence meanwhile.
    member.come_in(&chat, &mut bench);
    let now_ms = NOW_MS + 600_000;
    let hour = 3_600_000;
    for (number, at_ms, text) in [
        (1, NOW_MS - 1, "backdated"),
        (2, NOW_MS, "as its session began"),
        (3, now_ms + hour, "postdated"),
        (4, now_ms + 13 * hour, "far in the future"),
    ] {
        let say = said_at(&member, number, at_ms, text);
        member.send(&mut bench, &say);
    }
    let shown = bench.events.iter().filter_map(|event| match event {
        NodeEvent::Message(said) => Some((said.text.as_str(), said.at_ms)),
        _ => None,
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(
        shown,
        [("as its session began", NOW_MS), ("postdated", now_ms)],
        "a time that is to come is shown as now"
    );
    let dropped = (
        bench.dropped("before_its_session"),
        bench.dropped("from_the_future"),
    );
    assert_eq!(dropped, (1, 1));
}

#[test]
fn a_session_that_began_long_ago_by_its_certificate_is_not_met() {
    let mut chat = Chat::new(20);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let day = 86_400_000;
    for (n, start_ms) in [(2, NOW_MS - 3 * day), (3, NOW_MS + 3 * day)] {
        let mut other = Member::with(&chat, member.key.clone(), credential_of(&member), n);
        let session = SessionCertificate::sign(&other.key, &chat.id, &other.peer.client_id, start_ms, 0);
        let credential = credential_of(&other);
        other.chain = Chain { credential, session }.encode();
        let say = said_at(&other, 1, start_ms, "of another day");
        member.send(&mut bench, &say);
    }
    assert_eq!(bench.dropped("stale_session"), 2);
    assert!(texts(&bench).is_empty());
}

#[test]
fn our_own_words_are_never_before_our_session_though_our_clock_is_set_back() {
    let mut chat = Chat::new(21);
    let mut bench = Bench::new(chat.founder_config("founder"));
    bench.clock_set_back_by = secs(7_200);
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let (text, action) = ("what time is it?".to_owned(), false);
    bench.tell(Input::Say { text, action });
    let heard = member.heard(&mut bench);
    let said = says_of(&heard);
    assert!(!said.is_empty());
    assert!(said.iter().all(|say| say.signed.hlc >> 16 >= NOW_MS));
}

#[test]
fn a_ban_says_how_far_words_are_kept_and_nothing_of_the_banned_is_taken_any_more() {
    let mut chat = Chat::new(22);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut member = Member::link(&mut chat, &mut bench, 1);
    let mut relay = Member::link(&mut chat, &mut bench, 2);
    member.says(&mut bench, 1, "one");
    member.says(&mut bench, 7, "seven");
    bench.tell(Input::Moderate(Moderation::Ban {
        member: member_id(&member),
        reason: "noise".into(),
        with_invite: false,
        hide_all: false,
    }));
    let who = bench.node.admitted(&member_id(&member)).expect("met");
    let state = bench.node.state().expect("a state");
    let client_id = member.peer.client_id;
    assert!(state.shows(&who, &client_id, 7));
    assert!(!state.shows(&who, &client_id, 8), "the last good number is 7");
    // Whatever its number and time: it comes after the ban.
    for number in [2, 8] {
        let say = said_at(&member, number, NOW_MS, "as if it were before");
        member.send(&mut bench, &say);
        relay.send(&mut bench, &say);
    }
    relay.send(&mut bench, &member.say(3, Body::Name("Founder".into()), true));
    assert_eq!(texts(&bench), ["one", "seven"]);
    let members = bench.node.members();
    assert!(members.iter().all(|known| known.nick != "Founder"));
}

// Row 22.

/// A chain of bans by a moderator.
fn bans_by(chat: &Chat, by: &Member, victims: &[MemberId]) -> Vec<Fact> {
    let mut prev = [0; 16];
    let mut facts = Vec::new();
    for (seq, victim) in (1..).zip(victims) {
        let place = Place { seq, prev, epoch: 1 };
        let fact = Fact::sign(&by.key, &chat.id, place, NOW_MS, ban(*victim)).expect("a fact");
        prev = fact.short_id(&chat.id);
        facts.push(fact);
    }
    facts
}

#[test]
fn a_moderator_who_bans_everybody_is_slow_and_all_of_it_is_undone_at_once() {
    let mut chat = Chat::new(23);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut rogue = Member::link(&mut chat, &mut bench, 1);
    let invite: InviteKey = chat.invite(0, 0, Vec::new());
    let mut victims = Vec::new();
    for n in 2..=5 {
        let mut victim = Member::by(&mut chat, &invite, n);
        victim.come_in(&chat, &mut bench);
        victims.push(member_id(&victim));
    }
    bench.tell(Input::Moderate(Moderation::SetRole(
        member_id(&rogue),
        Role::Moderator,
    )));
    let strangers = (1..=60).map(|n| MemberId([n; 32]));
    let all: Vec<MemberId> = victims.iter().copied().chain(strangers).collect();
    for fact in bans_by(&chat, &rogue, &all) {
        rogue.facts(&mut bench, &[fact]);
    }
    let bans = |bench: &Bench| bench.node.state().expect("a state").bans().count();
    assert_eq!((bans(&bench), bench.dropped("facts_metered")), (32, 32));
    let may_speak = |bench: &Bench, member: &MemberId| {
        let who = bench.node.admitted(member).expect("met");
        bench.node.state().expect("a state").may(&who, Action::Speak)
    };
    assert_eq!(may_speak(&bench, &victims[0]), Err(Denied::Banned));
    assert_eq!(
        bench.node.may(Action::Speak),
        Ok(()),
        "the founder is nobody's to ban"
    );

    // The founder demotes them, with a cut before all that.
    let cut = facts::Body::Demote {
        member: member_id(&rogue),
        seq: 0,
        last_good: [0; 16],
    };
    let place = Place {
        seq: 2,
        prev: [0; 16],
        epoch: 2,
    };
    let fact = Fact::sign(&chat.founder, &chat.id, place, NOW_MS, cut).expect("a fact");
    rogue.facts(&mut bench, &[fact]);
    assert_eq!(bans(&bench), 0);
    for victim in &victims {
        assert_eq!(may_speak(&bench, victim), Ok(()));
    }
    // Nor is it believed when it is backdated, by whomever it comes.
    let mut relay = Member::link(&mut chat, &mut bench, 9);
    relay.facts(&mut bench, &bans_by(&chat, &rogue, &victims));
    assert_eq!(bans(&bench), 0);
}

#[test]
fn what_is_kept_of_facts_is_looked_into_again_at_the_next_start() {
    let chat = Chat::new(24);
    let good = founders(&chat, ban(MemberId([1; 32])));
    let mut forged = founders(&chat, ban(MemberId([2; 32])));
    forged.place.seq = 2;
    forged.place.epoch = 2;
    let stored = |fact: &Fact| StoredFact {
        id: fact.id(&chat.id),
        fact: fact.encode(),
        credential: None,
    };
    let mut config = chat.founder_config("founder");
    if let NodeKind::Signed(state) = &mut config.kind {
        state.facts = vec![stored(&forged), stored(&good)];
    }
    let bench = Bench::new(config);
    let state = bench.node.state().expect("a state");
    assert_eq!((state.bans().count(), state.epoch()), (1, 1));
}

#[test]
fn time_alone_takes_nothing_back() {
    let mut chat = Chat::new(25);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let member = Member::link(&mut chat, &mut bench, 1);
    bench.tell(Input::Moderate(Moderation::Ban {
        member: member_id(&member),
        reason: String::new(),
        with_invite: false,
        hide_all: true,
    }));
    let before = bench.node.state().expect("a state").to_bytes();
    bench.pass(Duration::from_secs(3 * 86_400));
    assert_eq!(bench.node.state().expect("a state").to_bytes(), before);
}

// Row 19.

#[test]
fn keys_announced_in_a_classic_chat_are_bounded_and_those_who_speak_stay() {
    let mut bench = Bench::new(classic("a"));
    let mut peer = Peer::new(1);
    bench.link(&mut peer);
    for number in 1..=6_000_u32 {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        bench.broadcast(&mut peer, number, Body::NewPeer(ClientId(key)));
    }
    let members = bench.node.members();
    assert_eq!(members.len(), 1 + 4_096);
    let is_peer = |known: &throng::node::NodeMember| known.member == MemberId::from(peer.client_id);
    assert!(members.iter().any(|known| is_peer(known) && known.online));
}

// Row 25.

#[test]
fn one_report_ends_nobody_and_a_word_brings_back_who_was_reported_by_two() {
    let mut chat = Chat::new(27);
    let mut bench = Bench::new(chat.founder_config("founder"));
    let mut links: Vec<Member> = (1..=4).map(|n| Member::link(&mut chat, &mut bench, n)).collect();
    let victim = Member::new(&mut chat, 9);
    links[0].send(&mut bench, &victim.say(1, Body::Name("Zed".into()), true));
    let is_there = |bench: &Bench| {
        let members = bench.node.members();
        members.iter().any(|known| known.nick == "Zed" && known.online)
    };
    let gone = Body::Gone(victim.peer.client_id);
    for number in 1..=3 {
        let report = links[1].say(number, gone.clone(), true);
        links[1].send(&mut bench, &report);
        assert!(is_there(&bench), "by one member, however often");
    }
    let report = links[2].say(1, gone, true);
    links[2].send(&mut bench, &report);
    assert!(!is_there(&bench), "by two");
    links[0].send(&mut bench, &victim.say(2, Body::Ping, false));
    assert!(is_there(&bench));
}
