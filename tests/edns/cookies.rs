//! Cookies (RFC 7873, RFC 9018): two servers with one file of secrets, which rolls over while they run, and the way out of
//! the rate limit that they are.

use std::path::{Path, PathBuf};

use testing::secondo::Secondo;
use testing::{eventually, zone_text};

use super::dig_command;
use crate::scene::{SOON, ZONE, secondo, serves};

const FIRST: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const SECOND: &str = "445536bcd2513298075a5d379663c962";
/// How the client's own part begins.
const CLIENT: &str = "2464c4abcf10c957";

/// Secondo with this file, who gives a network one answer of a kind in a second.
fn with_secrets(file: &Path, primary: &testing::primary::Primary) -> Secondo {
    let configuration = format!(
        "[dns]\ncookie_secrets = \"{}\"\n[rate_limit]\nresponses_per_second = 1\nexempt = []\n",
        file.display()
    );
    secondo().configured(&configuration).with_zone(ZONE, primary.address()).started()
}

/// What dig prints where there may be no answer, which its exit status says too.
fn dig(secondo: &Secondo, arguments: &[&str]) -> String {
    let output = dig_command(secondo.dns(), &[&["+ignore", "+time=1"], arguments].concat()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The cookie that comes back for this one, and that all is well with the answer.
fn cookie_for(secondo: &Secondo, shown: &str) -> Result<String, String> {
    let printed = dig(secondo, &[ZONE, "SOA", &format!("+cookie={shown}")]);
    let line = printed.lines().find_map(|line| line.strip_prefix("; COOKIE: "));
    match line.and_then(|line| line.strip_suffix(" (good)")) {
        Some(cookie) if printed.contains("status: NOERROR") => Ok(cookie.to_owned()),
        _ => Err(printed),
    }
}

/// How many of ten questions at once are answered with what they ask for.
fn answered_of_ten(secondo: &Secondo, cookie: &str) -> usize {
    let mut arguments = vec!["+nobadcookie", cookie];
    arguments.extend([ZONE, "SOA"].repeat(10));
    dig(secondo, &arguments).matches("ANSWER: 1,").count()
}

#[test]
fn servers_with_one_file_of_secrets_take_each_others_cookies_also_while_it_rolls_over() {
    let directory = tempfile::tempdir().unwrap();
    let file: PathBuf = directory.path().join("cookie-secrets");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(&format!("{FIRST}\n"));
    let primary = testing::primary::Primary::with_zone(ZONE, &zone_text::small(1));
    let [one, other] = [(); 2].map(|()| with_secrets(&file, &primary));
    [&one, &other].into_iter().for_each(|secondo| serves(secondo, ZONE, 1));

    let of_first = eventually(SOON, "a cookie", || cookie_for(&one, CLIENT));
    assert_eq!(of_first.len(), 48, "{of_first}");
    // What is ours and fresh comes back as it is, from both.
    for secondo in [&one, &other] {
        assert_eq!(cookie_for(secondo, &of_first), Ok(of_first.clone()));
    }
    assert!(answered_of_ten(&one, "+nocookie") < 10);
    assert!(answered_of_ten(&one, &format!("+cookie={}{}", &of_first[..32], "0".repeat(16))) < 10);
    assert_eq!(answered_of_ten(&one, &format!("+cookie={of_first}")), 10);

    // RFC 9018 §5: the new secret makes cookies, the old ones are good. One is told, the other finds out.
    write(&format!("{SECOND}\n{FIRST}\n"));
    one.hang_up();
    let of_second = eventually(SOON, "the new secret to be used", || match cookie_for(&one, &of_first)? {
        cookie if cookie == of_first => Err("the old one is".into()),
        cookie => Ok(cookie),
    });
    eventually(SOON, "the other to use it too", || match cookie_for(&other, &of_second)? {
        cookie if cookie == of_second => Ok(()),
        cookie => Err(cookie),
    });
    for secondo in [&one, &other] {
        assert_eq!(answered_of_ten(secondo, &format!("+cookie={of_first}")), 10);
    }

    // A slip in the file changes nothing, and is said without what stands there.
    write(&format!("{}\n", &SECOND[1..]));
    one.hang_up();
    eventually(SOON, "the slip to be said", || {
        let is_said = one.log().contains("the cookie secrets of before go on being used");
        if is_said { Ok(()) } else { Err(one.log()) }
    });
    assert!(!one.log().contains(&SECOND[1..]));
    assert_eq!(cookie_for(&one, &of_second), Ok(of_second.clone()));
    write(&format!("{SECOND}\n"));
    one.hang_up();
    eventually(SOON, "the old secret to be forgotten", || {
        match answered_of_ten(&one, &format!("+cookie={of_first}")) {
            10 => Err("it is good".to_owned()),
            _ => Ok(()),
        }
    });
    assert_eq!(cookie_for(&one, &of_second), Ok(of_second));
}
