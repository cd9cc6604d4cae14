//! What a mail program makes a link of, though nobody has said that it is one.
//!
//! A name that a stranger chooses stands in letters of ours to whoever else the stranger names: it must not lead anywhere. What
//! it looks like decides, not whether there is such a host.

use std::net::Ipv4Addr;

/// The first part of the text that would become a link: a URL's scheme, `www.`, an IPv4 address, or a host below a top-level
/// domain that there is.
pub(super) fn link_in(text: &str) -> Option<&str> {
    if let Some(at) = text.find("://") {
        let scheme = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        return text[at - scheme.len()..].split_whitespace().next();
    }
    let is_of_host = |c: char| c.is_alphanumeric() || c == '-' || is_dot(c);
    text.split(|c| !is_of_host(c)).map(|run| run.trim_matches(is_dot)).find(|run| leads_somewhere(run))
}

/// The full stops that stand between labels (UTS 46 §2.3).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

fn leads_somewhere(run: &str) -> bool {
    let lower = run.to_lowercase();
    let labels: Vec<&str> = lower.split(is_dot).collect();
    if labels.len() < 2 {
        return false;
    }
    // A link may end before a label that is none of its own, as in `example.com.nonsense`.
    let is_host = |labels: &[&str]| !labels.contains(&"") && labels.last().is_some_and(|last| is_top_level(last));
    labels[0] == "www" || run.parse::<Ipv4Addr>().is_ok() || (2..=labels.len()).any(|end| is_host(&labels[..end]))
}

/// Whether there is such a domain: the list of public suffixes has a rule for each (<https://publicsuffix.org>).
fn is_top_level(label: &str) -> bool {
    psl::suffix(label.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

#[cfg(test)]
mod tests {
    use super::link_in;

    #[test]
    fn what_leads_somewhere_is_found_and_names_of_companies_lead_nowhere() {
        for (text, link) in [
            ("Win at https://evil.test/now !", "https://evil.test/now"),
            ("株ftp://x", "ftp://x"),
            ("://x", "://x"),
            ("go to evil.example.com", "evil.example.com"),
            ("(Evil.COM)", "Evil.COM"),
            ("evil.com.", "evil.com"),
            ("evil.com.nonsense", "evil.com.nonsense"),
            ("eve@evil.co.uk", "evil.co.uk"),
            ("www.intranet", "www.intranet"),
            ("192.0.2.1/pay", "192.0.2.1"),
            ("Amazon.de GmbH", "Amazon.de"),
            ("X GmbH & Co.KG", "Co.KG"),
            ("evil\u{3002}com", "evil\u{3002}com"),
            ("böse.рф", "böse.рф"),
            ("xn--bse-sna.xn--p1ai", "xn--bse-sna.xn--p1ai"),
        ] {
            assert_eq!(link_in(text), Some(link), "{text}");
        }
        for text in [
            "",
            "Example Inc.",
            "St. Mary's",
            "St.Mary's",
            "Foo e.V.",
            "Bar S.p.A.",
            "A.B. Smith & Sons, Ltd.",
            "X GmbH & Co. KG",
            "Node.js",
            "Version 1.2.3",
            "A/B: C",
            "...",
            "com",
            ".com",
            "株式会社例",
        ] {
            assert_eq!(link_in(text), None, "{text}");
        }
    }
}
