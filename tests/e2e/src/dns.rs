//! A DNS server on loopback that knows a few records.

use std::net::SocketAddr;

use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{MX, TXT},
    },
};
use tokio::{net::UdpSocket, task::JoinHandle};

/// A running server. Dropping it ends it.
pub struct DnsServer {
    /// Where it listens, by UDP.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

/// A record: a name, and a TXT record's text or an MX record's host.
pub enum Entry {
    Txt(String, String),
    Mx(String, String),
}

impl DnsServer {
    /// Starts a server with these records. For other names and types it answers that there are none.
    pub async fn start(entries: Vec<Entry>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records: Vec<_> = entries.into_iter().map(Entry::record).collect();
        let task = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let answer = answer(&records, &Message::from_vec(&buffer[..length]).unwrap());
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            }
        });
        Self { address, task }
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Entry {
    fn record(self) -> Record {
        let (name, data) = match self {
            Self::Txt(name, text) => (name, RData::TXT(TXT::new(vec![text]))),
            Self::Mx(name, host) => (name, RData::MX(MX::new(10, Name::from_ascii(host).unwrap()))),
        };
        Record::from_rdata(Name::from_ascii(format!("{name}.")).unwrap(), 60, data)
    }
}

fn answer(records: &[Record], query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, OpCode::Query);
    for asked in &query.queries {
        answer.add_query(asked.clone());
        let found = records
            .iter()
            .filter(|record| record.name == *asked.name() && record.data.record_type() == asked.query_type());
        answer.add_answers(found.cloned());
    }
    if answer.answers.is_empty() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer
}
