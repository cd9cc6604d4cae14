//! Settings as people type them: `NAME=VALUE`, and `NAME=` to have the default count again.

use xfr::{Setting, Settings};

use crate::problem::{Code, Problem};

/// Reads a setting and its value.
///
/// # Errors
/// [`Code::SettingInvalid`].
pub fn setting(text: &str) -> Result<(Setting, Option<String>), Problem> {
    let Some((name, value)) = text.split_once('=') else {
        let detail = format!("{text:?} sets nothing; write it like refresh-max=2h, or refresh-max= for the default");
        return Err(Problem::new(Code::SettingInvalid, detail));
    };
    setting_of(name, Some(value).filter(|value| !value.is_empty()))
}

/// Reads a setting of the API; no value has the default count again.
///
/// # Errors
/// [`Code::SettingInvalid`].
pub fn setting_of(name: &str, value: Option<&str>) -> Result<(Setting, Option<String>), Problem> {
    let invalid = |error: xfr::SettingError| Problem::new(Code::SettingInvalid, error.to_string());
    let setting: Setting = name.parse().map_err(invalid)?;
    Settings::default().set(setting, value).map_err(invalid)?;
    Ok((setting, value.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::setting;
    use crate::problem::Code;

    #[test]
    fn settings_are_read_and_what_is_none_is_refused() {
        let (name, value) = setting("refresh-max=2h").unwrap();
        assert_eq!((name.name(), value.as_deref()), ("refresh_max", Some("2h")));
        assert_eq!(setting("notify=").unwrap().1, None);
        for text in ["", "refresh-max", "refresh=2h", "refresh-max=soon", "=2h"] {
            assert_eq!(setting(text).unwrap_err().code(), Code::SettingInvalid, "{text:?}");
        }
    }
}
