//! TSIG algorithms as people type them.

use crate::json::KeyAlgorithm;
use crate::problem::{Code, Problem};

/// Reads an algorithm's name, whatever its case, with or without its last dot; `hmac-md5` also by its full name.
///
/// # Errors
/// [`Code::AlgorithmUnknown`].
pub fn key_algorithm(text: &str) -> Result<KeyAlgorithm, Problem> {
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    // RFC 8945 §6: the oldest algorithm has a name in a domain of its own.
    let word = lower.strip_suffix(".sig-alg.reg.int").filter(|word| *word == "hmac-md5").unwrap_or(&lower);
    word.parse().map_err(|_| {
        let known: Vec<_> = KeyAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
        let detail = format!("{text:?} is not a TSIG algorithm: use one of {}", known.join(", "));
        Problem::new(Code::AlgorithmUnknown, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::key_algorithm;
    use crate::json::KeyAlgorithm;
    use crate::problem::Code;

    #[test]
    fn algorithms_are_read_in_all_their_spellings() {
        for (text, expected) in [
            ("hmac-sha256", KeyAlgorithm::HmacSha256),
            ("HMAC-SHA512.", KeyAlgorithm::HmacSha512),
            ("hmac-md5", KeyAlgorithm::HmacMd5),
            ("HMAC-MD5.SIG-ALG.REG.INT.", KeyAlgorithm::HmacMd5),
        ] {
            assert_eq!(key_algorithm(text), Ok(expected), "{text}");
        }
        for text in ["", "md5", "hmac-sha3", "hmac-sha256.sig-alg.reg.int"] {
            assert_eq!(key_algorithm(text).unwrap_err().code(), Code::AlgorithmUnknown, "{text}");
        }
    }
}
