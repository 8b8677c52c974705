//! A chat's UDP socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::id::ChatId;
use crate::wire::MAX_DATAGRAM_LEN;

/// The receive buffer that we ask the system for, in bytes: some 4,000 of the largest datagrams while the actor is busy. Linux
/// gives at most `net.core.rmem_max`.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// How many datagrams of one chat the actor takes in one turn. At some 100 µs for one that opens, a flood delays commands and
/// other chats by some 6 ms at a time.
const MAX_BATCH: usize = 64;

/// How many ports after the given one are tried: as many as there can be chats.
const PORTS_TRIED: u16 = 256;

/// The pause after an error of the socket itself, so that a lasting error does not keep a processor busy.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Datagrams that came for a chat.
pub(super) struct Batch {
    pub(super) chat: ChatId,
    /// Each with its source.
    pub(super) datagrams: Vec<(SocketAddr, Vec<u8>)>,
}

/// A chat's socket. Dropping it closes it.
pub(super) struct ChatSocket {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    /// Whether it is an IPv6 socket that takes IPv4 as well, as mapped addresses.
    dual_stack: bool,
    receiver: JoinHandle<()>,
}

impl ChatSocket {
    /// Opens a socket, and passes what comes to `batches`. With `listen`, it listens there or on the next free port after it.
    /// Without, or if its port is 0, it listens on `last_port` if that is free, otherwise on any.
    pub(super) async fn open(
        chat: ChatId,
        listen: Option<SocketAddr>,
        last_port: Option<u16>,
        batches: mpsc::Sender<Batch>,
    ) -> io::Result<Self> {
        let socket = bind_first(&candidates(listen, last_port))?;
        let local = socket
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::Unsupported)?;
        let dual_stack = local.is_ipv6() && local.ip().is_unspecified();
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        // Until the system has said once that the socket is writable, tokio refuses to try.
        socket.writable().await?;
        let receiver = tokio::spawn(receive(chat, socket.clone(), batches));
        Ok(Self {
            socket,
            local,
            dual_stack,
            receiver,
        })
    }

    /// Where it listens.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, or says why it could not be sent at once, for the counters.
    pub(super) fn send(&self, to: SocketAddr, bytes: &[u8]) -> Result<(), &'static str> {
        let to = match to.ip() {
            IpAddr::V4(ip) if self.dual_stack => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        match self.socket.try_send_to(bytes, to) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err("send_buffer_full"),
            Err(_) => Err("send_failed"),
        }
    }
}

impl Drop for ChatSocket {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

/// The addresses to try to bind to, in this order.
fn candidates(listen: Option<SocketAddr>, last_port: Option<u16>) -> Vec<SocketAddr> {
    match listen {
        Some(listen) if listen.port() != 0 => {
            let last = listen.port().saturating_add(PORTS_TRIED - 1);
            (listen.port()..=last)
                .map(|port| SocketAddr::new(listen.ip(), port))
                .collect()
        }
        Some(listen) => last_port
            .into_iter()
            .chain([0])
            .map(|port| SocketAddr::new(listen.ip(), port))
            .collect(),
        None => {
            let any: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
            let ports = last_port.into_iter().chain([0]);
            ports
                .flat_map(|port| any.map(|ip| SocketAddr::new(ip, port)))
                .collect()
        }
    }
}

/// Binds to the first address that is free. The error is that of the first: it names what the user asked for.
fn bind_first(candidates: &[SocketAddr]) -> io::Result<Socket> {
    let mut first_error = None;
    for candidate in candidates {
        match bind(*candidate) {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                // Another port can help only if the port is taken.
                let hopeless = candidate.port() != 0
                    && !candidate.ip().is_unspecified()
                    && !matches!(
                        error.kind(),
                        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                    );
                first_error.get_or_insert(error);
                if hopeless {
                    break;
                }
            }
        }
    }
    Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
        tracing::debug!(%error, "the system gives no larger receive buffer");
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Passes on what comes, a batch at a time. While the actor is busy nothing is read, and what the system's buffer can't hold is
/// lost, as it can be on the way. The channel gives all chats their turn.
async fn receive(chat: ChatId, socket: Arc<UdpSocket>, batches: mpsc::Sender<Batch>) {
    // One byte more than a datagram can have, so that the node sees and counts longer ones.
    let mut buffer = [0; MAX_DATAGRAM_LEN + 1];
    loop {
        let mut datagrams = Vec::new();
        let mut result = socket.readable().await;
        while result.is_ok() && datagrams.len() < MAX_BATCH {
            match socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => datagrams.push((unmapped(from), buffer[..len].to_vec())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => result = Err(error),
            }
        }
        if !datagrams.is_empty() && batches.send(Batch { chat, datagrams }).await.is_err() {
            return;
        }
        match result {
            Ok(()) => {}
            // A receiver is not there any more. This says nothing about the socket.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => {
                tracing::debug!(%error, %chat, "could not receive");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// An IPv4 address in its own form, even if it came through an IPv6 socket.
fn unmapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // With its scope: without it a link-local address leads nowhere.
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ChatId = ChatId([7; 32]);

    #[test]
    fn ports_are_tried_in_the_order_promised() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert_eq!(
            candidates(None, Some(4000)),
            [at("[::]:4000"), at("0.0.0.0:4000"), at("[::]:0"), at("0.0.0.0:0")]
        );
        assert_eq!(
            candidates(Some(at("127.0.0.1:0")), Some(9)),
            [at("127.0.0.1:9"), at("127.0.0.1:0")]
        );
        let row = candidates(Some(at("127.0.0.1:5000")), Some(9));
        assert_eq!(
            (row.len(), row[0], row[255]),
            (256, at("127.0.0.1:5000"), at("127.0.0.1:5255"))
        );
        assert_eq!(
            candidates(Some(at("127.0.0.1:65535")), None),
            [at("127.0.0.1:65535")]
        );
    }

    #[tokio::test]
    async fn the_next_free_port_is_taken_and_ipv4_looks_like_ipv4() {
        let (batches, mut received) = mpsc::channel(8);
        let first = ChatSocket::open(
            CHAT,
            Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            None,
            batches.clone(),
        )
        .await
        .expect("a free port");
        let second = ChatSocket::open(CHAT, Some(first.local()), None, batches.clone())
            .await
            .expect("the next one");
        assert!(second.local().port() > first.local().port());

        // All addresses: IPv6 and IPv4, or IPv4 alone where there is no IPv6.
        let all = ChatSocket::open(CHAT, None, None, batches)
            .await
            .expect("a free port");
        let to = SocketAddr::from(([127, 0, 0, 1], all.local().port()));
        first.send(to, b"one").expect("sent at once");
        let batch = received.recv().await.expect("a batch");
        assert_eq!(batch.datagrams, [(first.local(), b"one".to_vec())]);
        all.send(first.local(), b"two").expect("sent at once");
        let batch = received.recv().await.expect("a batch");
        assert_eq!(batch.datagrams, [(to, b"two".to_vec())]);
    }
}
