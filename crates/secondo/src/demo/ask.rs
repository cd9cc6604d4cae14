//! One question over UDP.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use dns::text::record_to_text;
use dns::writer::CompressionTable;
use dns::{CLASS_IN, MessageReader, MessageWriter, Name, Question, Rcode, RecordRef, Section, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Both ends are on this machine.
const PATIENCE: Duration = Duration::from_secs(2);
const OCTETS_MAX: usize = 512;

/// The answer section, a line for each record.
pub(super) async fn ask(server: SocketAddr, name: &str, qtype: Type) -> anyhow::Result<Vec<String>> {
    let name: Name = name.parse()?;
    let mut message = [0; OCTETS_MAX];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut message, OCTETS_MAX, &mut table, 1, 0);
    writer.question(&Question { name: name.borrow().into(), qtype, qclass: CLASS_IN })?;
    let length = writer.finish();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(server).await?;
    socket.send(&message[..length]).await?;
    let received = timeout(PATIENCE, socket.recv(&mut message)).await;
    let length = received.with_context(|| format!("{server} does not answer"))??;
    let mut reader = MessageReader::new(&message[..length])?;
    if reader.header().rcode() != Rcode::NOERROR {
        bail!("{server} answers {}", reader.header().rcode());
    }
    let mut lines = Vec::new();
    let mut rdata = Vec::new();
    while let Some(record) = reader.record()?.filter(|record| record.section == Section::Answer) {
        rdata.clear();
        reader.rdata(&record, &mut rdata)?;
        let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
        lines.push(record_to_text(RecordRef { owner, rtype, ttl, rdata: &rdata }));
    }
    Ok(lines)
}
