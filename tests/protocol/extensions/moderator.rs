//! A moderator's invite, and who came by it, part by part.

use throng::crypto::{BoxKeyPair, SigningKey};
use throng::facts::{Body, Fact, FactSet, Place, Role, State};
use throng::id::{InviteId, MemberId};
use throng::invite::{
    Admission, Chain, Credential, InviteCertificate, InviteKey, Office, Rights, SeenAddress,
    SessionCertificate,
};

use super::cast::{Cast, DAY, NOON, RENDEZVOUS};
use super::invites::with_checksum;
use super::{Certificate, ChainForm, InviteForm, Key};
use crate::page::{Parts, joined};

const UNTIL: u64 = NOON + 7 * DAY;

/// The founder makes the member a moderator, who invites a guest.
pub(crate) struct ByModerator {
    grant: Fact,
    invite: InviteKey,
    guest: SigningKey,
    guests_session: BoxKeyPair,
    chain: Chain,
}

impl ByModerator {
    pub(crate) fn new(cast: &Cast) -> Self {
        let (secret, guest) = (SigningKey::from_seed([12; 32]), SigningKey::from_seed([13; 32]));
        let guests_session = BoxKeyPair::from_secret([14; 32]);
        let moderator = MemberId(cast.member.public());
        let place = Place {
            seq: 2,
            prev: short(&cast.topic.id(&cast.chat).0),
            epoch: 2,
        };
        let body = Body::Grant {
            member: moderator,
            role: Role::Moderator,
            counter: 1,
        };
        let grant = Fact::sign(&cast.founder, &cast.chat, place, NOON + 120_000, body).unwrap();
        let mut facts = FactSet::new(cast.chat, &cast.charter);
        for fact in [&cast.topic, &grant] {
            facts.insert(fact.clone(), None).unwrap();
        }
        let office = facts
            .office_of(&State::of(&facts), &cast.charter, &moderator)
            .unwrap();
        let certificate = InviteCertificate::sign_in_office(
            &cast.member,
            office,
            &cast.chat,
            InviteId(secret.public()),
            1,
            Rights::Member,
            3,
            UNTIL,
        );
        let at_ms = NOON + 180_000;
        let admission = Admission::sign(&secret, &cast.chat, MemberId(guest.public()), 1, at_ms, 0);
        let session =
            SessionCertificate::sign(&guest, &cast.chat, &guests_session.client_id(), at_ms + 1_000, 0);
        let chain = Chain {
            credential: Credential::Invited {
                invite: certificate.clone(),
                admission,
            },
            session,
        };
        let invite = InviteKey {
            kind: 0,
            chat: cast.chat,
            secret,
            rendezvous: RENDEZVOUS,
            charter: Some(cast.charter.clone()),
            certificate,
            addresses: vec![SeenAddress {
                address: "192.0.2.1:40000".parse().unwrap(),
                seen_ms: 0,
            }],
        };
        Self {
            grant,
            invite,
            guest,
            guests_session,
            chain,
        }
    }

    fn office(&self) -> &Office {
        self.invite.certificate.office.as_ref().unwrap()
    }

    /// The certificate alone, as it stands behind the office.
    fn certificate(&self) -> Vec<u8> {
        let bytes = self.invite.certificate.encode();
        bytes[bytes.len() - 109..].to_vec()
    }

    fn office_parts(&self, cast: &Cast) -> Parts {
        let parts: Parts = vec![
            ("charter", cast.charter.encode()),
            ("moderator", cast.member.public().to_vec()),
            ("grant's seq", vec![0, 0, 0, 2]),
            ("grant's prev", short(&cast.topic.id(&cast.chat).0).to_vec()),
            ("grant's at", (NOON + 120_000).to_be_bytes().to_vec()),
            ("grant's counter", vec![0, 0, 0, 1]),
            ("grant's signature", self.grant.signature.to_vec()),
        ];
        assert!(self.office().verify(&cast.chat));
        assert_eq!(joined(&parts).len(), 266 + "Friends".len());
        parts
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        let signing = |name, key: &SigningKey| Key {
            name,
            secret: key.seed().to_vec(),
            public: key.public(),
        };
        vec![
            signing("moderator's invite", &self.invite.secret),
            signing("guest", &self.guest),
            Key {
                name: "guest's session",
                secret: vec![14; 32],
                public: self.guests_session.client_id().0,
            },
        ]
    }

    pub(crate) fn certificates(&self, cast: &Cast) -> Vec<Certificate> {
        let grant: Parts = vec![
            ("type", vec![1]),
            ("issuer", cast.founder.public().to_vec()),
            ("seq", vec![0, 0, 0, 2]),
            ("prev", short(&cast.topic.id(&cast.chat).0).to_vec()),
            ("epoch", vec![0, 0, 0, 2]),
            ("at", (NOON + 120_000).to_be_bytes().to_vec()),
            ("member", cast.member.public().to_vec()),
            ("role", vec![2]),
            ("counter", vec![0, 0, 0, 1]),
        ];
        let invite: Parts = vec![
            ("invite", self.invite.id().0.to_vec()),
            ("number", vec![0, 0, 0, 1]),
            ("rights", vec![0]),
            ("slots", vec![0, 3]),
            ("until", UNTIL.to_be_bytes()[2..].to_vec()),
            ("grant's seq", vec![0, 0, 0, 2]),
        ];
        let sign = |name, label, signed_by, key: &SigningKey, signed: Parts, bytes: Vec<u8>, sent: usize| {
            let body = joined(&signed);
            let signature = key.sign(label, &cast.chat, &body);
            assert_eq!([&body[..sent], &signature].concat(), bytes, "{name}");
            Certificate {
                name,
                label,
                signed_by,
                signed,
                signature,
                bytes,
            }
        };
        let grant = sign(
            "grant of the moderator's office, a fact",
            "throng/1 fact",
            "founder",
            &cast.founder,
            grant,
            self.grant.encode(),
            102,
        );
        // The grant's seq is left out on the wire: it stands in the office.
        let invite = sign(
            "a moderator's invite",
            "throng/1 invite",
            "member",
            &cast.member,
            invite,
            self.certificate(),
            45,
        );
        vec![grant, invite]
    }

    pub(crate) fn chain(&self, cast: &Cast) -> ChainForm {
        let Credential::Invited { admission, .. } = &self.chain.credential else {
            panic!("a guest comes invited");
        };
        let mut parts: Parts = vec![("kind", vec![2])];
        parts.extend(self.office_parts(cast));
        parts.push(("invite", self.certificate()));
        parts.push(("admission", admission.encode()));
        parts.push(("session", self.chain.session.encode()));
        let bytes = self.chain.encode();
        assert_eq!(bytes, joined(&parts));
        assert_eq!(bytes.len(), 564 + "Friends".len());
        assert_eq!(Chain::decode(&bytes).as_ref(), Ok(&self.chain));
        assert!(self.chain.verify(&cast.chat, &self.guests_session.client_id()));
        ChainForm {
            name: "of a guest whom a moderator invited",
            parts,
        }
    }

    pub(crate) fn link(&self, cast: &Cast) -> InviteForm {
        let mut parts: Parts = vec![
            ("version", vec![1]),
            ("kind", vec![0]),
            ("chat", cast.chat.0.to_vec()),
            ("invite's secret seed", self.invite.secret.seed().to_vec()),
            ("rendezvous", RENDEZVOUS.to_vec()),
            ("flags", vec![8]),
        ];
        parts.extend(self.office_parts(cast));
        parts.push(("invite certificate", self.certificate()));
        let port = 40_000u16.to_be_bytes();
        parts.push(("address", [&[2, 192, 0, 2, 1][..], &[0; 12], &port].concat()));
        let parts = with_checksum(parts);
        let text = self.invite.to_link();
        let encoded = data_encoding::BASE64URL_NOPAD.encode(&joined(&parts));
        assert_eq!(text, format!("throng:{encoded}"));
        assert_eq!(InviteKey::parse(&text).as_ref(), Ok(&self.invite));
        InviteForm {
            name: "link that a moderator made",
            parts,
            text,
        }
    }
}

fn short(id: &[u8; 32]) -> [u8; 16] {
    id[..16].try_into().unwrap()
}
