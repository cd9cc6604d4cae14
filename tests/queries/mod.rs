//! What is asked of zones, and what it adds up to for bills: counted as it is answered, shown a moment later, kept.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use dns::{Opcode, Type};
use serde_json::Value;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, process, python, query, zone_text};

use crate::access::{add_token, api};
use crate::scene::{SOON, ZONE, secondo, serves};

/// Everything is written at each full minute.
const WRITTEN_WITHIN: Duration = Duration::from_secs(90);

fn with_zone() -> (Secondo, Peer) {
    let peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    (secondo, peer)
}

fn queries(secondo: &Secondo) -> Value {
    secondo.json(&["zone", "queries", ZONE])
}

/// Waits until so many queries for TXT are shown, which nobody else here asks for.
#[track_caller]
fn has_asked_for_txt(secondo: &Secondo, count: u64) -> Value {
    eventually(SOON, &format!("{count} queries for TXT to be counted"), || {
        let shown = queries(secondo);
        if shown["sum"]["by_type"]["txt"] == count { Ok(shown) } else { Err(shown["sum"].to_string()) }
    })
}

fn ask_for_txt(server: SocketAddr, times: usize) {
    (0..times).for_each(|_| drop(query::ask_udp(server, &format!("www.{ZONE}"), Type::TXT).unwrap()));
}

#[test]
fn what_is_asked_over_udp_and_tcp_is_shown_by_type_and_result_and_by_name() {
    let (secondo, _peer) = with_zone();
    let none = format!("none.{ZONE}");
    query::ask_udp(secondo.dns(), &none, Type::MX).unwrap();
    query::ask_tcp(secondo.dns(), &none, Type::MX).unwrap();
    query::ask_tcp(secondo.dns(), ZONE, Type::NS).unwrap();
    // What is no zone's is nobody's.
    query::ask_udp(secondo.dns(), "elsewhere.test", Type::TXT).unwrap();
    // Enough for a few samples of names.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(secondo.dns()).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let asked = query::request(Opcode::QUERY, &format!("wWw.{ZONE}"), Type::TXT, None);
    for _ in 0..20_000 {
        socket.send(&asked).unwrap();
        socket.recv(&mut [0; 512]).unwrap();
    }
    let shown = has_asked_for_txt(&secondo, 20_000);
    let (by_type, by_result) = (&shown["sum"]["by_type"], &shown["sum"]["by_result"]);
    assert_eq!((&by_type["mx"], &by_result["nxdomain"]), (&2.into(), &2.into()), "{shown:#}");
    assert_eq!(by_type["ns"], 1, "{shown:#}");
    assert_eq!(shown["names"][0]["name"], format!("www.{ZONE}."), "in lower case: {shown:#}");
    assert!(!shown["names"].to_string().contains("wWw"), "{shown:#}");
    assert_eq!(shown["points"].as_array().unwrap().len(), 24);
    let days = secondo.json(&["zone", "queries", ZONE, "--days", "35"]);
    assert_eq!((days["points"].as_array().unwrap().len(), &days["step"]), (35, &"day".into()));
    assert!(days["sum"]["total"].as_u64() >= shown["sum"]["total"].as_u64(), "{days:#}");
    let said = secondo.expect(&["zone", "queries", ZONE]);
    assert!(said.contains("NXDOMAIN") && said.contains(&format!("www.{ZONE}.")), "{said}");
    secondo.client(&["zone", "queries", "none.example"]).must_fail(&["zone_unknown"]);
    secondo.client(&["zone", "queries", ZONE, "--days", "732"]).must_be_wrong_usage(&["732"]);
}

#[test]
fn what_was_asked_is_there_after_a_stop_and_a_kill_loses_no_more_than_a_minute() {
    let (mut secondo, _peer) = with_zone();
    ask_for_txt(secondo.dns(), 7);
    secondo.terminate();
    secondo.start();
    has_asked_for_txt(&secondo, 7);
    ask_for_txt(secondo.dns(), 5);
    has_asked_for_txt(&secondo, 12);
    eventually(WRITTEN_WITHIN, "what was asked to be on disk", || {
        let written = sql(&secondo, "SELECT COALESCE(SUM(txt), 0) FROM query_hours");
        if written == "12" { Ok(()) } else { Err(written) }
    });
    secondo.kill_and_restart();
    has_asked_for_txt(&secondo, 12);
}

#[test]
fn usage_is_shown_to_whom_it_belongs_and_its_table_is_no_program() {
    let (mut secondo, _peer) = with_zone();
    ask_for_txt(secondo.dns(), 3);
    has_asked_for_txt(&secondo, 3);
    let month = secondo.json(&["usage"])["month"].as_str().unwrap().to_owned();
    secondo.terminate();
    // There is no way to add an organisation yet.
    let number = month.replace('-', "");
    sql(&secondo, "INSERT INTO tenants (id, name) VALUES (2, '=1+2,three')");
    sql(&secondo, &format!("INSERT INTO tenant_usage VALUES (2, {number}, '=1+2,three', 70, 2, 20)"));
    secondo.start();
    let usage = secondo.json(&["usage", "--month", &month]);
    let all = usage["organisations"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{usage:#}");
    assert_eq!((&all[0]["organisation"], &all[0]["queries"]), (&"=1+2,three".into(), &70.into()));
    let own = &all[1];
    assert_eq!((&own["organisation"], &own["zones"]), (&"default".into(), &1.into()), "{usage:#}");
    assert!(own["queries"].as_u64() >= Some(3) && own["records"].as_u64() > Some(3), "{usage:#}");
    let table = secondo.expect(&["usage", "--csv"]);
    assert!(table.starts_with("month,id,organisation,queries,zones,records\r\n"), "{table}");
    let id = &all[0]["id"];
    assert!(table.contains(&format!("\r\n{month},{id},\"'=1+2,three\",70,2,20\r\n")), "{table}");
    // Somebody of an organisation sees its own, and no other one.
    let token = add_token(&secondo, "reader", "read");
    for path in ["/usage", "/usage.csv"] {
        let answer = api(&secondo, &token, path, None);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.contains("default") && !answer.body.contains("three"), "{answer:?}");
    }
    secondo.client(&["usage", "--month", "2026-13"]).must_be_wrong_usage(&["is no month"]);
}

/// What a statement gives, in one word; run on the database as somebody else.
fn sql(secondo: &Secondo, statement: &str) -> String {
    const PROGRAM: &str = "import sqlite3, sys\n\
        connection = sqlite3.connect(sys.argv[1], timeout=20)\n\
        rows = connection.execute(sys.argv[2]).fetchall()\n\
        connection.commit()\n\
        print(rows[0][0] if rows else '')\n";
    let database = secondo.data().join("inventory.db");
    process::run(python::program(PROGRAM).arg(database).arg(statement)).trim().to_owned()
}
