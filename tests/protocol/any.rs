//! Any packet, certificate, invite or text: what random tests draw from.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use throng::crypto::SigningKey;
use throng::facts::{self, Fact, Place, Role};
use throng::id::{ChatId, ClientId, InviteId, MemberId};
use throng::invite::{
    Admission, Chain, Charter, Credential, InviteCertificate, InviteKey, Office, Rights, SeenAddress,
    SessionCertificate,
};
use throng::wire::{
    Body, Broadcast, Digest, Facts, FactsAsk, Hello, History, HistoryAnswer, HistoryAsk, HistoryAuthor,
    HistoryMember, HistoryQuestion, HistorySay, HistoryStatus, Items, Keepalive, Link, LinkOp,
    MAX_KNOWN_SESSIONS, MAX_PARTS, NodeAddress, NodeFormat, NotHeld, NumberRange, Packet, Part, Roster,
    RosterAsk, Say, SendNodes, SignedSay, Slow, TokenCounter, Want, Welcome, WelcomeStatus,
};

const KINDS: [u8; 17] = [
    48, 49, 50, 96, 97, 98, 99, 101, 102, 103, 104, 105, 107, 108, 113, 114, 115,
];

pub(crate) fn any_kind() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(&KINDS[..]), 1 => any::<u8>()]
}

pub(crate) fn any_packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        any::<[u8; 8]>().prop_map(|ping_id| Packet::GetNodes { ping_id }),
        any_send_nodes().prop_map(Packet::SendNodes),
        (any_client_id(), 1u32.., any_classic_body())
            .prop_map(|(origin, number, body)| Packet::Broadcast(Broadcast { origin, number, body })),
        any_hello().prop_map(Packet::Hello),
        any_welcome().prop_map(Packet::Welcome),
        any_link().prop_map(Packet::Link),
        any_say().prop_map(Packet::Say),
        (any_t(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(t, refused, wait_ms)| Packet::Slow(Slow {
            t,
            refused,
            wait_ms
        })),
        (
            any_t(),
            any::<u64>(),
            any::<u64>(),
            any::<[u8; 32]>(),
            any::<[u8; 16]>()
        )
            .prop_map(
                |(t, echo, echoed, facts_root, roster)| Packet::Keepalive(Keepalive {
                    t,
                    echo,
                    echoed,
                    facts_root,
                    roster
                })
            ),
        (any_t(), vec(vec(any::<u8>(), 1..100), 1..=8))
            .prop_map(|(t, facts)| Packet::Facts(Facts { t, facts })),
        (any_t(), vec(any::<u8>(), 0..=880))
            .prop_map(|(t, summary)| Packet::FactsAsk(FactsAsk { t, summary })),
        (
            any_t(),
            1u32..,
            vec(any::<[u8; 6]>(), 0..=64),
            vec(any::<([u8; 6], u32)>(), 1..=16)
        )
            .prop_map(|(t, seq, held, reached)| Packet::Digest(Digest {
                t,
                seq,
                held,
                reached
            })),
        (any_t(), 1u32.., any_items()).prop_map(|(t, seq, items)| Packet::Want(Want { t, seq, items })),
        (any_t(), any_items(), any::<[u8; 6]>()).prop_map(|(t, mut items, id)| {
            items.ids.truncate(63);
            items.ids.push(id);
            Packet::NotHeld(NotHeld { t, items })
        }),
        (any_t(), any::<u32>(), any_question())
            .prop_map(|(t, ask, question)| Packet::HistoryAsk(HistoryAsk { t, ask, question })),
        (any_t(), any::<u32>(), any_answer()).prop_map(|(t, ask, answer)| Packet::History(History {
            t,
            ask,
            answer
        })),
        (
            any_t(),
            any_client_id(),
            any_client_id(),
            vec(any::<[u8; 6]>(), 0..MAX_KNOWN_SESSIONS)
        )
            .prop_map(|(t, after, to, known)| Packet::RosterAsk(RosterAsk { t, after, to, known })),
        (
            any_t(),
            any_client_id(),
            any::<bool>(),
            btree_set(0..MAX_KNOWN_SESSIONS as u8, 0..20)
        )
            .prop_map(|(t, last, more, gone)| Packet::Roster(Roster {
                t,
                last,
                more,
                gone: gone.into_iter().collect()
            })),
    ]
}

pub(crate) fn any_items() -> impl Strategy<Value = Items> {
    let range =
        (any_client_id(), 1..=u32::MAX - 63, 0..64u32).prop_map(|(client_id, first, more)| NumberRange {
            client_id,
            first,
            last: first + more,
        });
    (vec(any::<[u8; 6]>(), 0..=64), vec(range, 0..=8)).prop_map(|(ids, ranges)| Items { ids, ranges })
}

pub(crate) fn any_question() -> impl Strategy<Value = HistoryQuestion> {
    let compare =
        (any::<u64>(), vec((1..1_u64 << 50, any::<[u8; 16]>()), 1..=34)).prop_map(|(from, steps)| {
            let from = from >> 8;
            let mut to = from;
            let spans = steps.into_iter().map(|(step, fingerprint)| {
                to += step;
                (to, fingerprint)
            });
            HistoryQuestion::Compare {
                from,
                spans: spans.collect(),
            }
        });
    let fetch = (
        (0..u64::MAX / 2, 1..u64::MAX / 2, 1u16.., any::<bool>()),
        btree_set(any::<[u8; 3]>(), 0..30),
        btree_set(any::<[u8; 6]>(), 0..=130),
    );
    let fetch =
        fetch.prop_map(
            |((from, len, limit, with_credentials), known, held)| HistoryQuestion::Fetch {
                from,
                to: from + len,
                limit,
                with_credentials,
                known: known.into_iter().collect(),
                held: held.into_iter().collect(),
            },
        );
    prop_oneof![compare, fetch]
}

pub(crate) fn any_answer() -> impl Strategy<Value = HistoryAnswer> {
    let status = prop::sample::select(vec![
        HistoryStatus::All,
        HistoryStatus::More,
        HistoryStatus::NotHeld,
        HistoryStatus::Later,
        HistoryStatus::Whole,
    ]);
    let author = prop_oneof![
        any::<[u8; 32]>().prop_map(|member| HistoryMember::Id(MemberId(member))),
        vec(any::<u8>(), 1..260).prop_map(HistoryMember::Credential),
    ];
    let author =
        (any_client_id(), author).prop_map(|(client_id, author)| HistoryAuthor { client_id, author });
    let body = prop_oneof![
        any_text(1, 100).prop_map(Body::Message),
        any_text(1, 100).prop_map(|text| Body::Action {
            text,
            historic_id: false
        }),
    ];
    let say = (
        (any::<[u8; 3]>(), 1u32.., 0..1_u64 << 40, any::<u16>()),
        any::<Option<[u8; 8]>>(),
        body,
        any::<[u8; 32]>(),
    );
    let says = (1_u64 << 47..1 << 48, vec(say, 1..=3)).prop_map(|(time, says)| {
        let mut ms = time;
        let count = says.len();
        let says = says.into_iter().enumerate();
        let says = says.map(|(at, ((session, number, earlier, counter), after, body, half))| {
            ms -= if at == 0 { 0 } else { earlier };
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&half);
            HistorySay {
                session,
                number,
                hlc: ms << 16 | u64::from(counter),
                after: if at + 1 == count {
                    after.or(Some([0; 8]))
                } else {
                    after
                },
                body,
                signature,
            }
        });
        HistoryAnswer::Says(says.collect())
    });
    prop_oneof![
        (any::<u64>(), vec(any::<u8>(), 1..=5))
            .prop_map(|(held_from, differing)| HistoryAnswer::Compared { held_from, differing }),
        vec(author, 1..=3).prop_map(HistoryAnswer::Authors),
        says,
        (status, any::<u8>(), any::<u64>(), any::<u64>()).prop_map(|(status, parts, down_to, held_from)| {
            HistoryAnswer::End {
                status,
                parts,
                down_to,
                held_from,
            }
        }),
    ]
}

pub(crate) fn any_client_id() -> impl Strategy<Value = ClientId> {
    any::<[u8; 32]>().prop_map(ClientId)
}

pub(crate) fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from)
}

pub(crate) fn any_node() -> impl Strategy<Value = NodeAddress> {
    (any_client_id(), any_address()).prop_map(|(client_id, address)| NodeAddress { client_id, address })
}

pub(crate) fn any_send_nodes() -> impl Strategy<Value = SendNodes> {
    let short =
        (any_client_id(), any::<[u8; 4]>(), any::<u16>()).prop_map(|(client_id, ip, port)| NodeAddress {
            client_id,
            address: (ip, port).into(),
        });
    let nodes = prop_oneof![
        vec(any_node(), 0..=6).prop_map(|nodes| (nodes, NodeFormat::Long)),
        vec(short, 1..=6).prop_map(|nodes| (nodes, NodeFormat::Short)),
    ];
    (any::<[u8; 8]>(), nodes).prop_map(|(ping_id, (nodes, format))| SendNodes {
        ping_id,
        nodes,
        format,
    })
}

/// A text of so many bytes at most.
pub(crate) fn any_text(least: usize, most: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), least..most).prop_map(move |chars| {
        let mut text: String = chars.into_iter().collect();
        while text.len() > most {
            text.pop();
        }
        text
    })
}

pub(crate) fn any_shared_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::Ping),
        Just(Body::Quit),
        any_text(1, 128).prop_map(Body::Name),
        (0u8..=2).prop_map(Body::Status),
        any_text(1, 400).prop_map(Body::Message),
        any_text(1, 400).prop_map(|text| Body::Action {
            text,
            historic_id: false
        }),
    ]
}

pub(crate) fn any_classic_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => any_shared_body(),
        1 => any_client_id().prop_map(Body::NewPeer),
        1 => any_client_id().prop_map(Body::BanPeer),
        1 => any_text(0, 512).prop_map(Body::Topic),
        1 => any_text(1, 881).prop_map(|text| Body::Action { text, historic_id: true }),
    ]
}

pub(crate) fn any_part() -> impl Strategy<Value = Part> {
    (any::<bool>(), 2u8..=MAX_PARTS, any::<u8>(), any_text(1, 400)).prop_map(
        |(action, count, index, text)| Part {
            action,
            index: index % count,
            count,
            text,
        },
    )
}

pub(crate) fn any_signed_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => any_shared_body(),
        1 => any_client_id().prop_map(Body::Gone),
        1 => any_part().prop_map(Body::Part),
        1 => (66u8..=191, vec(any::<u8>(), 0..400))
            .prop_filter("an id of newer programs", |(id, _)| *id != 72)
            .prop_map(|(id, data)| Body::Unknown { id, data }),
    ]
}

pub(crate) fn any_t() -> impl Strategy<Value = TokenCounter> {
    (any::<[u8; 8]>(), any::<u32>()).prop_map(|(token, counter)| TokenCounter { token, counter })
}

pub(crate) fn any_hello() -> impl Strategy<Value = Hello> {
    (
        any::<(u16, [u8; 16], [u8; 8], u64, [u8; 32], u32)>(),
        prop_oneof![Just(String::new()), any_text(1, 128)],
        vec(any::<u8>(), 0..300),
    )
        .prop_map(
            |((capabilities, nonce, token, time_ms, facts_root, members), nick, chain)| Hello {
                capabilities,
                nonce,
                token,
                time_ms,
                facts_root,
                members,
                nick,
                chain,
            },
        )
}

pub(crate) fn any_welcome() -> impl Strategy<Value = Welcome> {
    let status = prop::sample::select(vec![
        WelcomeStatus::Linked,
        WelcomeStatus::Full,
        WelcomeStatus::Spent,
        WelcomeStatus::Closed,
        WelcomeStatus::Banned,
        WelcomeStatus::Busy,
        WelcomeStatus::Slow,
        WelcomeStatus::Expired,
        WelcomeStatus::Stranger,
    ]);
    (
        any::<(u16, [u8; 16], [u8; 8], u64, [u8; 32], [u16; 4])>(),
        any_address(),
        (status, 0..=Welcome::MAX_WORK_BITS),
        vec(any::<u8>(), 0..203),
        vec(any::<u8>(), 0..299),
        vec(any::<u8>(), 0..100),
        vec(any_node(), 0..=2),
    )
        .prop_map(
            |(fixed, observed, (status, work_bits), charter, chain, ban, nodes)| {
                let (capabilities, nonce, token, time_ms, facts_root, free_slots) = fixed;
                Welcome {
                    capabilities,
                    nonce,
                    token,
                    time_ms,
                    facts_root,
                    observed,
                    free_slots,
                    status,
                    work_bits: if status == WelcomeStatus::Busy {
                        work_bits
                    } else {
                        0
                    },
                    charter,
                    chain,
                    ban,
                    nodes,
                }
            },
        )
}

pub(crate) fn any_link() -> impl Strategy<Value = Link> {
    (any_t(), any::<(bool, u8, u8)>()).prop_map(|(t, (open, tree, reason))| Link {
        t,
        op: if open { LinkOp::Open } else { LinkOp::Close },
        tree,
        reason,
    })
}

pub(crate) fn any_say() -> impl Strategy<Value = Say> {
    let signed = (
        any_client_id(),
        1u32..,
        any::<u64>(),
        any::<[u8; 8]>(),
        any_signed_body(),
    )
        .prop_map(|(client_id, number, hlc, after, body)| SignedSay {
            client_id,
            number,
            hlc,
            after,
            body,
        });
    (
        any::<(u8, u8)>(),
        prop::option::of(vec(any::<u8>(), 0..300)),
        signed,
        any::<[u8; 64]>(),
    )
        .prop_map(|((tree, hops), chain, signed, signature)| Say {
            tree,
            hops,
            chain,
            signed,
            signature,
        })
}

pub(crate) fn any_charter() -> impl Strategy<Value = Charter> {
    (
        0u8..=1,
        any::<(u64, [u8; 32], [u8; 32])>(),
        any_text(1, 64),
        any::<[u8; 64]>(),
    )
        .prop_map(|(kind, (created_ms, founder, heir), name, signature)| Charter {
            kind,
            created_ms,
            founder: MemberId(founder),
            heir,
            name,
            signature,
        })
}

/// What a moderator shows with an invite.
pub(crate) fn any_office() -> impl Strategy<Value = Office> {
    let grant = any::<([u8; 32], u32, [u8; 16], u64, u32)>();
    (any_charter(), grant, any::<[u8; 64]>()).prop_map(
        |(charter, (moderator, seq, prev, at_ms, counter), signature)| Office {
            charter,
            moderator: MemberId(moderator),
            seq,
            prev,
            at_ms,
            counter,
            signature,
        },
    )
}

pub(crate) fn any_chain() -> impl Strategy<Value = Chain> {
    let invite = (
        any::<([u8; 32], u32, bool, u16)>(),
        0u64..1 << 48,
        any::<[u8; 64]>(),
        prop::option::of(any_office()),
    )
        .prop_map(
            |((invite, number, observer, slots), until_ms, signature, office)| InviteCertificate {
                invite: InviteId(invite),
                number,
                rights: if observer {
                    Rights::Observer
                } else {
                    Rights::Member
                },
                slots,
                until_ms,
                signature,
                office: office.map(Box::new),
            },
        );
    let admission = any::<([u8; 32], u16, u64, u64)>();
    let admission =
        (admission, any::<[u8; 64]>()).prop_map(|((member, slot, at_ms, work), signature)| Admission {
            member: MemberId(member),
            slot,
            at_ms,
            work,
            signature,
        });
    let credential = prop_oneof![
        any_charter().prop_map(Credential::Founder),
        (invite, admission).prop_map(|(invite, admission)| Credential::Invited { invite, admission }),
    ];
    (credential, any::<(u64, u16)>(), any::<[u8; 64]>()).prop_map(
        |(credential, (start_ms, capabilities), signature)| Chain {
            credential,
            session: SessionCertificate {
                start_ms,
                capabilities,
                signature,
            },
        },
    )
}

pub(crate) fn any_invite() -> impl Strategy<Value = InviteKey> {
    let addresses = vec((any_address(), 0u64..1 << 48), 0..=8);
    let terms = any::<([u8; 32], [u8; 32], [u8; 16], u32, u16, bool, bool, bool)>();
    (terms, 0u8..=1, any_text(1, 64), addresses).prop_map(|(terms, kind, name, addresses)| {
        let (chat, secret, rendezvous, number, slots, has_charter, is_door, in_office) = terms;
        // If the kind is a public chat's.
        let (number, slots) = if is_door { (0, 0) } else { (number, slots) };
        let (chat, secret) = (SigningKey::from_seed(chat), SigningKey::from_seed(secret));
        let invite = InviteId(secret.public());
        let founder = SigningKey::from_seed([9; 32]);
        let charter = Charter::sign(&chat, kind, 1, MemberId(founder.public()), &name);
        let chat_id = ChatId(chat.public());
        let certificate = if in_office {
            let (moderator, office) = granted(&chat_id, &founder, &charter, number);
            InviteCertificate::sign_in_office(
                &moderator,
                office,
                &chat_id,
                invite,
                number,
                Rights::Member,
                slots.max(1),
                0,
            )
        } else {
            InviteCertificate::sign(&chat, invite, number, Rights::Member, slots, 0)
        };
        InviteKey {
            kind,
            chat: chat_id,
            secret,
            rendezvous,
            certificate,
            charter: (has_charter || in_office).then_some(charter),
            addresses: addresses
                .into_iter()
                .map(|(address, seen_ms)| SeenAddress { address, seen_ms })
                .collect(),
        }
    })
}

/// A moderator, and their office by the founder's fact after so many others.
fn granted(chat: &ChatId, founder: &SigningKey, charter: &Charter, after: u32) -> (SigningKey, Office) {
    let moderator = SigningKey::from_seed([8; 32]);
    let (seq, at_ms, counter) = (after.saturating_add(1), 2, 3);
    let place = Place {
        seq,
        prev: [4; 16],
        epoch: seq,
    };
    let member = MemberId(moderator.public());
    let body = facts::Body::Grant {
        member,
        role: Role::Moderator,
        counter,
    };
    let grant = Fact::sign(founder, chat, place, at_ms, body).unwrap();
    let office = Office {
        charter: charter.clone(),
        moderator: member,
        seq,
        prev: place.prev,
        at_ms,
        counter,
        signature: grant.signature,
    };
    (moderator, office)
}
