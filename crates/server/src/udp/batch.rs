//! Many datagrams for one system call, and the address that each was sent to.
//!
//! The only unsafe code of this crate: `recvmmsg`, `sendmmsg` and the control messages of IP_PKTINFO, which no safe
//! crate offers together. Every pointer that goes to the kernel is made from its buffer right before the call and is
//! never used after it. Knows nothing of DNS.

#![expect(unsafe_code, reason = "recvmmsg and sendmmsg take raw pointers; see the comment at each block")]

use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use libc::{cmsghdr, in_pktinfo, in6_pktinfo, iovec, mmsghdr, msghdr, sockaddr_in, sockaddr_in6, sockaddr_storage};

/// Datagrams in one batch: enough to spread the cost of the call, few enough to stay in the cache, and as many as are looked
/// ahead for at once.
pub(crate) const BATCH: usize = answer::AHEAD_MAX;
/// The longest datagram taken, in octets. Longer ones are dropped: no honest query or NOTIFY comes near it.
pub(crate) const QUERY_OCTETS_MAX: usize = 4096;
/// Room for one reply, in octets: nothing larger is sent over UDP, whatever the client says it can take.
pub(crate) const REPLY_OCTETS_MAX: usize = answer::UDP_OCTETS_MAX;
/// Room for one control message: the larger, that of IPv6, takes 40.
const CONTROL_OCTETS: usize = 64;

/// Asks the kernel to say with each datagram which address it was sent to.
pub(crate) fn tell_destination(socket: &impl AsFd, address: SocketAddr) -> io::Result<()> {
    let (level, option) = match address {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    set(socket, level, option, 1)
}

/// Has the kernel believe nobody who says how much the path to a client carries: who forges that has answers sent in
/// fragments, of which the second can be forged too (RFC 9715). What we send fits every path that DNS is used on.
pub(crate) fn ignore_path_mtu(socket: &impl AsFd, address: SocketAddr) -> io::Result<()> {
    let (level, option, omit) = match address {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT),
    };
    set(socket, level, option, omit)
}

fn set(socket: &impl AsFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the option's value is an int that outlives the call, and its size is told.
    let result =
        unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, option, ptr::from_ref(&value).cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Aligned as the kernel's control messages must be.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_OCTETS]);

/// One datagram received and, once [`Batch::each`] has been through, its reply.
#[derive(Clone, Copy, Default)]
struct Slot {
    query_octets: usize,
    control_octets: usize,
    /// 0: no reply.
    reply_octets: usize,
}

/// The buffers of one worker; allocated once.
pub(crate) struct Batch {
    queries: Box<[[u8; QUERY_OCTETS_MAX]]>,
    replies: Box<[[u8; REPLY_OCTETS_MAX]]>,
    peers: Box<[sockaddr_storage]>,
    controls: Box<[Control]>,
    slots: [Slot; BATCH],
    received: usize,
}

/// What became of the replies of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
}

impl Batch {
    pub(crate) fn new() -> Self {
        // SAFETY: a sockaddr_storage of zeros is valid: its family is AF_UNSPEC.
        let nobody: sockaddr_storage = unsafe { mem::zeroed() };
        Self {
            queries: vec![[0; QUERY_OCTETS_MAX]; BATCH].into(),
            replies: vec![[0; REPLY_OCTETS_MAX]; BATCH].into(),
            peers: vec![nobody; BATCH].into(),
            controls: vec![Control([0; CONTROL_OCTETS]); BATCH].into(),
            slots: [Slot::default(); BATCH],
            received: 0,
        }
    }

    /// Waits for a first datagram, as long as the socket's own time-out, and takes what else is already there.
    /// Returns how many datagrams came; 0 when the time was over.
    pub(crate) fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        self.received = 0;
        let mut vectors = [const { MaybeUninit::<iovec>::uninit() }; BATCH];
        let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; BATCH];
        for index in 0..BATCH {
            let query = &mut self.queries[index];
            vectors[index].write(iovec { iov_base: query.as_mut_ptr().cast(), iov_len: query.len() });
            let peer = (&raw mut self.peers[index]).cast();
            let control = (self.controls[index].0.as_mut_ptr(), CONTROL_OCTETS);
            headers[index].write(header(vectors[index].as_mut_ptr(), peer, size_of::<sockaddr_storage>(), control));
        }
        // SAFETY: all headers were written above; each points to a buffer of the length told with it, and all
        // buffers outlive the call. The kernel writes no more than those lengths.
        let count = unsafe {
            let headers = headers.as_mut_ptr().cast::<mmsghdr>();
            libc::recvmmsg(socket.as_fd().as_raw_fd(), headers, BATCH as u32, libc::MSG_WAITFORONE, ptr::null_mut())
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            };
        }
        self.received = (count as usize).min(BATCH);
        for (slot, header) in self.slots.iter_mut().zip(&headers).take(self.received) {
            // SAFETY: written above, and updated by the kernel.
            let header = unsafe { header.assume_init_ref() };
            let cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            // A datagram longer than the buffer arrives cut; it counts as empty and gets no reply.
            let query_octets = if cut { 0 } else { (header.msg_len as usize).min(QUERY_OCTETS_MAX) };
            let control_octets = header.msg_hdr.msg_controllen.min(CONTROL_OCTETS);
            *slot = Slot { query_octets, control_octets, reply_octets: 0 };
        }
        Ok(self.received)
    }

    /// The datagrams that have come.
    pub(crate) fn queries(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let received = self.queries.iter().zip(&self.slots).take(self.received);
        received.map(|(query, slot)| &query[..slot.query_octets])
    }

    /// Shows each datagram to `reply`, with room for a reply of which `reply` returns the length; 0 sends none.
    ///
    /// A sender without an address that can be answered (port 0) is not shown. A datagram that was too long is
    /// shown empty.
    pub(crate) fn each(&mut self, mut reply: impl FnMut(&[u8], SocketAddr, &mut [u8]) -> usize) {
        for index in 0..self.received {
            let slot = &mut self.slots[index];
            let Some(peer) = socket_address(&self.peers[index]).filter(|peer| peer.port() != 0) else { continue };
            let query = &self.queries[index][..slot.query_octets];
            slot.reply_octets = reply(query, peer, &mut self.replies[index]).min(REPLY_OCTETS_MAX);
        }
    }

    /// Sends the replies, each to where its query came from and from where the query was sent to.
    ///
    /// A reply that the kernel refuses is counted and does not hold up the others.
    pub(crate) fn send(&mut self, socket: &impl AsFd) -> Sent {
        let mut vectors = [const { MaybeUninit::<iovec>::uninit() }; BATCH];
        let mut headers = [const { MaybeUninit::<mmsghdr>::uninit() }; BATCH];
        let mut count = 0;
        for (index, slot) in self.slots[..self.received].iter().enumerate().filter(|(_, slot)| slot.reply_octets > 0)
        {
            let reply = &mut self.replies[index][..slot.reply_octets];
            vectors[count].write(iovec { iov_base: reply.as_mut_ptr().cast(), iov_len: reply.len() });
            let peer_octets = match i32::from(self.peers[index].ss_family) {
                libc::AF_INET => size_of::<sockaddr_in>(),
                _ => size_of::<sockaddr_in6>(),
            };
            let control_octets = reply_control(&mut self.controls[index], slot.control_octets);
            let control = (self.controls[index].0.as_mut_ptr(), control_octets);
            let peer = (&raw mut self.peers[index]).cast();
            headers[count].write(header(vectors[count].as_mut_ptr(), peer, peer_octets, control));
            count += 1;
        }
        let mut outcome = Sent::default();
        let mut done = 0;
        while done < count {
            // SAFETY: the headers from `done` to `count` were written above; each points to buffers of the lengths
            // told with it that outlive the call and that the kernel only reads.
            let result = unsafe {
                let first = headers[done..].as_mut_ptr().cast::<mmsghdr>();
                libc::sendmmsg(socket.as_fd().as_raw_fd(), first, (count - done) as u32, 0)
            };
            if result > 0 {
                outcome.sent += result as u64;
                done += result as usize;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                // The send queue stayed full for the whole patience: so it is for the rest.
                io::ErrorKind::WouldBlock => {
                    outcome.failed += (count - done) as u64;
                    break;
                }
                // No route, no buffer, a firewall: this reply's own trouble.
                _ => {
                    outcome.failed += 1;
                    done += 1;
                }
            }
        }
        outcome
    }
}

fn header(vector: *mut iovec, peer: *mut libc::c_void, peer_octets: usize, control: (*mut u8, usize)) -> mmsghdr {
    // SAFETY: a header of zeros is valid; it may have padding, so that it is not written as a literal.
    let mut header: msghdr = unsafe { mem::zeroed() };
    header.msg_name = peer;
    header.msg_namelen = peer_octets as libc::socklen_t;
    header.msg_iov = vector;
    header.msg_iovlen = 1;
    header.msg_control = if control.1 == 0 { ptr::null_mut() } else { control.0.cast() };
    header.msg_controllen = control.1 as _;
    mmsghdr { msg_hdr: header, msg_len: 0 }
}

fn socket_address(peer: &sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(peer.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage, which is large enough for any, holds an IPv4 address.
            let v4 = unsafe { &*ptr::from_ref(peer).cast::<sockaddr_in>() };
            let address = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(address, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for IPv6.
            let v6 = unsafe { &*ptr::from_ref(peer).cast::<sockaddr_in6>() };
            let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            Some(SocketAddrV6::new(address, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Turns the control message of a query into that of its reply: from the address that was asked. Returns its length;
/// 0 when there is none.
///
/// The interface is left to routing: a reply need not leave by where the query came in. Link-local addresses have a
/// meaning on their interface alone and keep it.
fn reply_control(control: &mut Control, received_octets: usize) -> usize {
    const HEADER: usize = size_of::<cmsghdr>();
    if received_octets < HEADER {
        return 0;
    }
    // SAFETY: the buffer is aligned for it, and at least so many octets of it are there.
    let kind = unsafe { ptr::read(control.0.as_ptr().cast::<cmsghdr>()) };
    let data = &mut control.0[HEADER..];
    match (kind.cmsg_level, kind.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) if received_octets >= HEADER + size_of::<in_pktinfo>() => {
            // SAFETY: the control message's type says what its data are, and they are all there.
            unsafe {
                let info = data.as_mut_ptr().cast::<in_pktinfo>();
                (*info).ipi_ifindex = 0;
                libc::CMSG_SPACE(size_of::<in_pktinfo>() as u32) as usize
            }
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if received_octets >= HEADER + size_of::<in6_pktinfo>() => {
            // SAFETY: as above.
            unsafe {
                let info = data.as_mut_ptr().cast::<in6_pktinfo>();
                if !Ipv6Addr::from((*info).ipi6_addr.s6_addr).is_unicast_link_local() {
                    (*info).ipi6_ifindex = 0;
                }
                libc::CMSG_SPACE(size_of::<in6_pktinfo>() as u32) as usize
            }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::{BATCH, Batch, QUERY_OCTETS_MAX, Sent, tell_destination};

    fn pair() -> (UdpSocket, UdpSocket) {
        let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(ours.local_addr().unwrap()).unwrap();
        (ours, client)
    }

    fn echo(query: &[u8], out: &mut [u8]) -> usize {
        out[..query.len()].copy_from_slice(query);
        query.len()
    }

    #[test]
    fn each_reply_goes_to_its_own_sender() {
        let (ours, client) = pair();
        let second = UdpSocket::bind("127.0.0.1:0").unwrap();
        second.connect(ours.local_addr().unwrap()).unwrap();
        client.send(b"one").unwrap();
        second.send(b"two").unwrap();
        let mut batch = Batch::new();
        let mut answered = 0;
        while answered < 2 {
            answered += batch.receive(&ours).unwrap();
            batch.each(|query, _, out| echo(query, out));
            assert_eq!(batch.send(&ours).failed, 0);
        }
        let mut octets = [0; 16];
        assert_eq!((client.recv(&mut octets).unwrap(), &octets[..3]), (3, &b"one"[..]));
        assert_eq!((second.recv(&mut octets).unwrap(), &octets[..3]), (3, &b"two"[..]));
    }

    #[test]
    fn more_than_a_batch_comes_in_pieces_and_silence_sends_nothing() {
        let (ours, client) = pair();
        for _ in 0..BATCH + 3 {
            client.send(b"x").unwrap();
        }
        let mut batch = Batch::new();
        assert_eq!(batch.receive(&ours).unwrap(), BATCH);
        batch.each(|_, _, _| 0);
        assert_eq!(batch.send(&ours), Sent::default());
        assert_eq!(batch.receive(&ours).unwrap(), 3);
    }

    #[test]
    fn a_datagram_longer_than_the_buffer_is_shown_empty() {
        let (ours, client) = pair();
        client.send(&vec![7; QUERY_OCTETS_MAX + 1]).unwrap();
        client.send(&vec![7; QUERY_OCTETS_MAX]).unwrap();
        let mut batch = Batch::new();
        let (mut lengths, mut lengths_before) = (Vec::new(), Vec::new());
        while lengths.len() < 2 {
            let received = batch.receive(&ours).unwrap();
            assert_eq!(batch.queries().len(), received);
            lengths_before.extend(batch.queries().map(<[u8]>::len));
            batch.each(|query, _, _| {
                lengths.push(query.len());
                0
            });
        }
        assert_eq!(lengths, [0, QUERY_OCTETS_MAX]);
        assert_eq!(lengths, lengths_before);
    }

    #[test]
    fn sockets_believe_nobody_about_the_path() {
        for (any, level, option) in [
            ("127.0.0.1:0", libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
            ("[::1]:0", libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
        ] {
            let Ok(sockets) = crate::bind(&[any.parse().unwrap()], 2) else { continue };
            for socket in &sockets.udp {
                let mut value: libc::c_int = 0;
                let mut size = size_of_val(&value) as libc::socklen_t;
                // SAFETY: both outlive the call, and the size told is the value's.
                unsafe {
                    let value = std::ptr::from_mut(&mut value).cast();
                    libc::getsockopt(std::os::fd::AsRawFd::as_raw_fd(socket), level, option, value, &raw mut size);
                }
                assert_eq!(value, libc::IP_PMTUDISC_OMIT, "{any}");
            }
        }
    }

    #[test]
    fn a_wildcard_socket_replies_from_the_address_asked() {
        for (wildcard, asked) in [("0.0.0.0:0", "127.0.0.2"), ("[::]:0", "::1")] {
            let Ok(ours) = UdpSocket::bind(wildcard) else { continue };
            let address = ours.local_addr().unwrap();
            tell_destination(&ours, address).unwrap();
            let client = UdpSocket::bind(wildcard).unwrap();
            let asked = std::net::SocketAddr::new(asked.parse().unwrap(), address.port());
            client.send_to(b"x", asked).unwrap();
            let mut batch = Batch::new();
            assert_eq!(batch.receive(&ours).unwrap(), 1);
            batch.each(|query, _, out| echo(query, out));
            assert_eq!(batch.send(&ours), Sent { sent: 1, failed: 0 });
            let mut octets = [0; 16];
            assert_eq!(client.recv_from(&mut octets).unwrap(), (1, asked));
        }
    }
}
