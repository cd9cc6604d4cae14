//! Primaries of the year 2001: BIND 4, 8 and 9.1.0, asked as any other.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dns::{Name, Type};
use testing::primary::{OldBind, Primary as Scripted};
use transfer::{Fetch, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Algorithm, Destinations, Key, Outcome};
use zone::Change;

const ONE: &str = "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";
const TWO: &str = "@ 60 SOA ns host 2 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.2\nb 60 A 192.0.2.3\n";

#[tokio::test]
async fn zones_are_copied_and_followed_from_the_primaries_of_2001() {
    let zone: Name = "example.".parse().unwrap();
    for old in OldBind::ALL {
        let keys =
            [None, Some(Arc::new(Key::generate("key.example.".parse().unwrap(), Algorithm::HmacMd5).unwrap()))];
        for key in keys.into_iter().filter(|key| key.is_none() || old.knows_keys()) {
            let scripted = Scripted::old_bind(old);
            scripted.publish("example.", ONE);
            if let Some(key) = &key {
                scripted.add_key(key.clone());
            }
            let primary = Primary { key, ..Primary::at(scripted.address()) };
            let transfers = Transfers::new(
                Limits::default(),
                Arc::new(Internet::new(Destinations::Anything)),
                TlsClient::default(),
            );
            let serial =
                async || transfers.probe(&zone, &primary, Lane::Refresh).await.map(|shown| shown.soa.serial.0);
            let whole = async |request| {
                let fetched = transfers.fetch(&zone, &primary, request, Lane::Refresh, &Meter::default()).await?;
                let Outcome::Change(Change::Full(records)) = fetched.outcome else {
                    panic!("{old:?}: no whole zone")
                };
                Ok::<_, xfr::Reason>(records.iter().map(|record| record.rtype).collect::<Vec<_>>())
            };
            assert_eq!(serial().await, Ok(1), "{old:?}");
            assert!(whole(Fetch::Axfr).await.unwrap().len() >= 3, "{old:?}");
            scripted.publish("example.", TWO);
            assert_eq!(serial().await, Ok(2), "{old:?}");
            let soa = "ns.example. host.example. 1 60 60 600 60";
            let soa_rdata = dns::text::rdata_from_text(Type::SOA, soa).unwrap();
            // Where differences are not known, it is said so, or the whole zone comes in their place.
            match whole(Fetch::Ixfr { soa_rdata }).await {
                Ok(types) => assert!(types.len() >= 4, "{old:?}: {types:?}"),
                Err(reason) => {
                    assert_eq!((reason.code(), old), ("formerr", OldBind::Four));
                    assert!(!transfers.may_know_ixfr(&primary));
                    assert!(whole(Fetch::Axfr).await.unwrap().len() >= 4);
                }
            }
        }
    }
}
