//! PowerDNS: what `pdnsutil list-all-zones` prints, a name a line, or the zones of its API as JSON, which have their masters.

use serde::Deserialize;

use super::{ListLine, Otherwise, Written, is_local, listed, wrong};

/// A zone of the API (PowerDNS Authoritative HTTP API, "Zone").
#[derive(Deserialize)]
struct Zone {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    masters: Vec<String>,
}

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    if text.trim_start().starts_with(['[', '{']) {
        return read_json(text, otherwise);
    }
    let names = text.lines().enumerate().map(|(index, line)| (index as u64 + 1, line.trim()));
    // What it says besides of how many there are.
    let names = names.filter(|(_, name)| !name.is_empty() && !name.starts_with('#') && !name.contains("zonecount"));
    names.filter(|(_, name)| !is_local(name)).map(|(line, name)| (line, listed(name, &[], otherwise))).collect()
}

/// As it has no lines of its own, a zone's place in the list is its line.
fn read_json(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let zones: Vec<Zone> = match serde_json::from_str(text) {
        Ok(zones) => zones,
        Err(error) => {
            let detail = format!("this is no list of zones as PowerDNS's API answers it: {error}");
            return vec![wrong(error.line() as u64, detail)];
        }
    };
    let zone = |(index, zone): (usize, Zone)| {
        let is_copied = matches!(zone.kind.to_lowercase().as_str(), "slave" | "secondary");
        let masters = zone.masters.into_iter().filter(|_| is_copied);
        let written: Vec<Written> = masters.map(|address| Written { address, key: None }).collect();
        (index as u64 + 1, listed(&zone.name, &written, otherwise))
    };
    zones.into_iter().enumerate().map(zone).collect()
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::PowerDns;
    use super::super::tests::found;

    #[test]
    fn names_are_copied_from_that_server_and_secondary_zones_from_where_they_were() {
        let printed = "one.test\ntwo.test.\n\nAll zonecount:2\n";
        assert_eq!(
            found(printed, PowerDns, Some("192.0.2.100")),
            ["1 one.test. 192.0.2.100:53", "2 two.test. 192.0.2.100:53"]
        );
        let answered = r#"[{"id": "one.test.", "name": "one.test.", "kind": "Slave", "masters": ["192.0.2.1:5300", "2001:db8::1"]},
            {"name": "two.test.", "kind": "Native", "masters": []}]"#;
        assert_eq!(
            found(answered, PowerDns, Some("192.0.2.100")),
            ["1 one.test. 192.0.2.1:5300,[2001:db8::1]:53", "2 two.test. 192.0.2.100:53"]
        );
        assert_eq!(found("[{\"name\": 5}]", PowerDns, None), ["1 ? list_invalid"]);
    }
}
