//! Characters that nobody sees, for whatever people call something: two names that look alike are to be the same one, and a
//! name is to look like what it is.

/// Whether the character shows nothing, or turns what stands beside it around. (Spaces are seen by what they are between.)
///
/// These are the control characters (Cc), the separators of lines and paragraphs, what Unicode says is not to be shown where
/// it is not known (`Default_Ignorable_Code_Point` of `DerivedCoreProperties.txt`, which never loses one: marks of direction,
/// joiners, fillers of Hangul and selectors of variants among them), signs around notes (U+FFF9 to U+FFFB), and the pattern of
/// Braille without a dot, which is no space to programs and one to people.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::is_unseen;

    #[test]
    fn what_nobody_sees_is_told_from_what_people_write() {
        let unseen = "\0\n\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\u{202a}\u{202e}\
                      \u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fffb}\u{e0001}\u{e0100}";
        for c in unseen.chars() {
            assert!(is_unseen(c), "{c:?}");
        }
        for c in " \u{3000}azÄß0-.<株שعไहगढ़\u{301}ᄀㄱ⠁€😀\u{fffd}".chars() {
            assert!(!is_unseen(c), "{c:?}");
        }
    }
}
