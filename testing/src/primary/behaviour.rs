//! What a scripted primary can be told to do.

use std::time::Duration;

use dns::Rcode;
use rustls::pki_types::CertificateDer;

use crate::certificate::Certificate;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    SoaOverUdp,
    SoaOverTcp,
    SoaOverTls,
    /// Over TCP or TLS.
    Axfr,
    /// Over TCP or TLS.
    Ixfr,
    /// Anything else.
    Other,
}

impl Kind {
    pub(super) const COUNT: usize = 6;

    pub(super) fn is_transfer(self) -> bool {
        matches!(self, Self::Axfr | Self::Ixfr)
    }
}

/// What a client finds on the port for TLS that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InPlaceOfTls {
    /// DNS over TCP. It takes the first octets of TLS for the length of a message, and waits for the rest of it.
    Dns,
    /// The greeting of another protocol.
    Garbage,
    Silence,
    Close,
}

/// In which order requests that wait together are answered (RFC 7766 §7 allows any).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The last one first.
    Reversed,
    /// A message of each in turn, so that transfers lie within each other (RFC 9103 §6.3.2).
    Interleaved,
}

/// One way to behave. Several add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    // Requests of one kind.
    /// Answers with this code.
    Answer(Kind, Rcode),
    /// Reads the request and says nothing.
    Silent(Kind),
    /// Answers with octets that are no message.
    Garbage(Kind),
    /// Answers under another message ID.
    WrongId(Kind),
    /// Sends a forged answer, under another message ID and of another serial, before the right one.
    ForgedFirst(Kind),
    /// Closes the connection instead of answering.
    CloseAtOnce(Kind),
    /// A FORMERR is a header alone, without the question.
    FormErrAsHeaderAlone,

    // The SOA query.
    /// Sets TC in every answer over UDP.
    TruncateUdp,
    /// Answers queries with EDNS with this code.
    DislikeEdns(Rcode),
    /// Does not answer queries with EDNS.
    DropEdns,
    /// Leaves AA out.
    NotAuthoritative,
    /// Shows this serial when asked for the SOA, whatever the zone has.
    ClaimSerial(u32),

    // Transfers.
    /// Sends the first half of the records, and then nothing.
    HangHalfWay,
    /// Sends the first half of the records and closes.
    CloseHalfWay,
    /// The same, but over TLS without the alert that says that this is the end (close_notify): cut off by somebody else.
    CutHalfWay,
    /// Closes in the middle of the last message.
    CutMessage,
    /// Sends so many octets at a time, with a pause between.
    Trickle {
        octets: usize,
        pause: Duration,
    },
    /// Sends the records of another zone, `other.example.net.`
    OtherZone,
    /// Ends with an SOA of another serial.
    OtherLastSoa,
    /// Sends another record behind the last SOA.
    RecordsAfterEnd,
    /// Puts the SOA of a name below the zone among the records.
    ForeignSoa,
    /// Puts an SOA of another serial among the records.
    SoaInTheMiddle,
    /// Has a record of class CH in the last message.
    OtherClass,
    /// Has an octet behind the records of the last message.
    TrailingOctet,
    /// Has this code in the last message.
    ErrorAtEnd(Rcode),
    /// Sends an empty message first.
    EmptyMessage,
    /// Sets TC in the messages of transfers.
    TruncateTcp,
    /// Sends the same records over and over.
    Endless,
    /// One record in each message.
    OneRecordPerMessage,
    /// Leaves AA out of transfers.
    TransfersWithoutAa,
    /// Sends the addresses of a name server in the zone again behind each NS record that names it.
    RepeatsGlue,
    /// Answers IXFR with the whole zone.
    IxfrAsAxfr,
    /// Answers IXFR with one step from the client's version to the newest.
    Condensed,
    /// Answers IXFR with steps that remove a record that nobody has.
    IxfrDeletesAbsent,
    /// Answers IXFR with steps from a serial that the client does not have.
    IxfrFromElsewhere,

    // Signatures.
    /// Answers unsigned requests although it has keys.
    TakesUnsigned,
    /// Knows none of its keys but those of hmac-md5.
    OnlyMd5,
    /// Signs nothing.
    Unsigned,
    /// Signs the first message and then every so many, but always the last.
    SignEvery(usize),
    /// Leaves the last message unsigned.
    UnsignedTail,
    /// Signs wrongly.
    WrongMac,
    /// Its clock is so many seconds ahead; negative, behind.
    ClockAhead(i64),

    // Connections, plain and TLS.
    /// Closes a connection when it has answered a request of this kind on it.
    CloseAfter(Kind),
    /// Says nothing more on a connection when it has answered a request of this kind on it.
    MuteAfter(Kind),
    /// Closes a connection when it has answered so many requests on it.
    CloseAfterRequests(usize),
    /// Says nothing more on a connection when it has answered so many requests on it.
    MuteAfterRequests(usize),
    /// Answers nothing on a connection before so many requests wait on it.
    Gather {
        requests: usize,
        order: Order,
    },

    // TLS.
    InPlaceOfTls(InPlaceOfTls),
    /// Speaks TLS 1.2 and nothing newer.
    OldTls,
    /// Selects no ALPN protocol, whatever is offered.
    NoAlpn,
    /// Knows only "http/1.1", and ends the handshake with whoever does not offer it.
    OtherAlpn,
    /// Shows this certificate in place of its own: an expired one, one of another name, one of another authority.
    Shows(Certificate),
    /// Speaks only with clients that this authority vouches for.
    WantsClientOf(CertificateDer<'static>),
    CloseAfterHandshake,
    /// Reads everything after the handshake and says nothing.
    MuteAfterHandshake,
}
