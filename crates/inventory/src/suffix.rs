//! Names below which strangers have zones side by side: whoever has such a name has not their names.

use dns::Name;

/// Whether it is the root, a public suffix (<https://publicsuffix.org>), or a top-level domain that nobody has listed.
pub fn is_public_suffix(name: &Name) -> bool {
    let text = name.to_lower().to_string();
    let text = text.strip_suffix('.').unwrap_or(&text);
    text.is_empty() || psl::suffix(text.as_bytes()).is_some_and(|suffix| suffix.as_bytes().len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::is_public_suffix;

    #[test]
    fn what_strangers_share_is_told_from_what_somebody_has() {
        for (name, is_suffix) in [
            (".", true),
            ("com.", true),
            ("CO.UK.", true),
            ("test.", true),
            ("github.io.", true),
            ("xn--55qx5d.cn.", true),
            ("xn--p1ai.", true),
            ("in-addr.arpa.", true),
            ("any.ck.", true),
            ("www.ck.", false),
            ("example.com.", false),
            ("example.co.uk.", false),
            ("example.test.", false),
            ("a.example.test.", false),
            ("2.0.192.in-addr.arpa.", false),
        ] {
            assert_eq!(is_public_suffix(&name.parse().unwrap()), is_suffix, "{name}");
        }
    }
}
