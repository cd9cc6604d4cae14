//! What members are made of, as it stands in the inventory: JSON, with primaries as people type them.

use std::collections::BTreeMap;

use api::doors::MemberTemplate;
use dns::Name;
use serde::{Deserialize, Serialize};
use xfr::Settings;

#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Text {
    primaries: Vec<String>,
    settings: BTreeMap<String, String>,
}

pub(crate) fn write(template: &MemberTemplate) -> String {
    let text = Text {
        primaries: template.primaries.iter().map(ToString::to_string).collect(),
        settings: template.settings.to_texts(),
    };
    serde_json::to_string(&text).expect("texts are always JSON")
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// A sentence, when somebody else wrote it.
pub(crate) fn read(text: &str) -> Result<MemberTemplate, String> {
    let text: Text = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let primary = |text: &String| api::text::primary(text).map_err(|problem| problem.detail().to_owned());
    let primaries = text.primaries.iter().map(primary).collect::<Result<_, _>>()?;
    let (settings, errors) = Settings::from_texts(&text.settings);
    for error in errors {
        tracing::warn!(
            "a setting of a catalog's members is not one of this version's, and is as if it were not set: {error}"
        );
    }
    Ok(MemberTemplate { primaries, settings })
}

/// The keys that members need which are made of this; none of what cannot be read, which is said where members are made.
pub(crate) fn keys(text: &str) -> Vec<Name> {
    let Ok(MemberTemplate { primaries, settings }) = read(text) else { return Vec::new() };
    primaries.into_iter().filter_map(|primary| primary.key).chain(settings.keys()).collect()
}

#[cfg(test)]
mod tests {
    use api::doors::MemberTemplate;
    use xfr::{Setting, Settings};

    #[test]
    fn a_template_comes_back_as_it_was() {
        let mut settings = Settings::default();
        settings.set(Setting::RefreshMax, Some("2h")).unwrap();
        let texts = ["192.0.2.1,key=k", "[2001:db8::1]:8853,tls=ns1.example,alpn=may-be-missing"];
        let primaries = texts.iter().map(|text| api::text::primary(text).unwrap()).collect();
        for template in [MemberTemplate::default(), MemberTemplate { primaries, settings }] {
            assert_eq!(super::read(&super::write(&template)).unwrap(), template);
        }
        assert!(super::read("{\"primaries\":[\"nowhere\"]}").is_err() && super::read("").is_err());
    }
    #[test]
    fn keys_are_those_of_primaries_and_of_settings() {
        let mut settings = Settings::default();
        settings.set(Setting::NotifyKeys, Some("one.example")).unwrap();
        let primaries =
            ["192.0.2.1,key=two.example", "192.0.2.2"].map(|text| api::text::primary(text).unwrap()).into();
        let keys = super::keys(&super::write(&MemberTemplate { primaries, settings }));
        assert_eq!(keys.iter().map(ToString::to_string).collect::<Vec<_>>(), ["two.example.", "one.example."]);
        assert!(super::keys("{}").is_empty() && super::keys("nonsense").is_empty());
    }
}
