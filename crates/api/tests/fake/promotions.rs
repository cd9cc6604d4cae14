//! Promotions of the fake: it has a new primary at 192.0.2.9 with one record more, and an old one that is behind.

use api::doors::{Accept, Caller, NewKey, NewSource, Promotions, WantedPrimary, Word};
use api::json;
use api::{Code, Problem, Status};
use async_trait::async_trait;
use dns::Name;

use super::Fake;

#[async_trait]
impl Promotions for Fake {
    async fn promotion(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: &WantedPrimary,
    ) -> Result<json::Promotion, Problem> {
        let zone = self.zone(caller, name).await?;
        if zone.serial.is_none() {
            return Err(Problem::new(Code::ZoneNotLoaded, format!("the zone {name} was never transferred")));
        }
        let part = json::PastePart { place: "in named.conf".into(), lines: vec!["zone \"example.org\" {};".into()] };
        let paste = json::Paste {
            software: wanted.software,
            title: "BIND".into(),
            parts: vec![part.clone()],
            holding: vec![part],
            notes: vec!["SECRET stands for the key's secret".into()],
        };
        Ok(json::Promotion {
            former: Vec::new(),
            file: "/var/lib/bind/example.org.zone".into(),
            paste,
            checks: vec!["named-checkconf".into()],
            secret: None,
            signed: None,
            points_there: vec!["example.org. 60 IN NS ns1.example.org.".into()],
            steps: vec!["put the lines into its configuration".into()],
            zone,
        })
    }

    async fn promote(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: WantedPrimary,
        key: Option<NewKey>,
    ) -> Result<json::Promotion, Problem> {
        let mut promotion = self.promotion(caller, name, &wanted).await?;
        promotion.zone.hold = json::Hold::Frozen;
        promotion.secret = key.map(|_| "bmV3IHNlY3JldA==".to_owned());
        Ok(promotion)
    }

    async fn compare(&self, caller: &Caller, name: &Name, source: &NewSource) -> Result<json::Comparison, Problem> {
        let zone = self.zone(caller, name).await?;
        let is_older = *source == NewSource::Former;
        let version = if is_older { json::ComparedVersion::Older } else { json::ComparedVersion::Newer };
        Ok(json::Comparison {
            name: zone.name,
            primary: "192.0.2.9:53".into(),
            silent: Vec::new(),
            version,
            from_serial: 7,
            to_serial: if is_older { 6 } else { 8 },
            removed: 1,
            added: 2,
            lines: vec!["+ <new>.example.org. 60 IN A 192.0.2.3".into()],
            digest: "d1".into(),
            needs_word: is_older,
            said: "its serial is not that which is served".into(),
        })
    }

    async fn finish(
        &self,
        caller: &Caller,
        name: &Name,
        source: NewSource,
        word: Word,
    ) -> Result<json::FinishedPromotion, Problem> {
        let comparison = self.compare(caller, name, &source).await?;
        if word.digest.is_some_and(|digest| digest != comparison.digest) {
            return Err(Problem::new(Code::VersionChanged, "it has something else by now"));
        }
        if comparison.needs_word && word.accept == Accept::Sane {
            return Err(Problem::new(Code::VersionDiffers, comparison.said));
        }
        let zone = self.zone(caller, name).await?;
        Ok(json::FinishedPromotion { comparison, attempt: super::attempt(&zone, json::Transfer::Full), zone })
    }
}
