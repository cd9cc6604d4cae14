//! The console in a real browser, beside real primaries: what people do first, and what they see.

mod alerts;
mod entry;
mod held;
mod import;
mod lists;
mod people;
mod plans;
mod promote;
mod queries;
mod records;
mod widths;
mod zones;

use std::net::SocketAddr;

use testing::browser::Browser;
use testing::secondo::Secondo;

const EMAIL: &str = "operator@example.org";
const PASSWORD: &str = "four words make it long";

/// A server that has not run yet, and whose way to the root leads nowhere: no test asks the real one.
fn secondo() -> Secondo {
    secondo_with("")
}

/// The same with more in its configuration.
fn secondo_with(more: &str) -> Secondo {
    let secondo = crate::scene::secondo();
    let hints = secondo.scratch_file("hints", ". 3600 IN NS a.root.test.\na.root.test. 3600 IN A 127.0.0.1\n");
    secondo.configured(&format!("[delegation]\nhints = \"{hints}\"\n{more}"))
}

/// The console's URL.
pub(crate) fn console(secondo: &Secondo) -> String {
    format!("http://{}", secondo.http())
}

/// The path of the link that a start has printed.
fn first_link(secondo: &Secondo) -> String {
    let log = secondo.log();
    let line = log.lines().rev().find(|line| line.starts_with("Create the operator of the console: ")).unwrap();
    let (_, path) = line.split_once("/link/").unwrap();
    format!("/link/{}", path.split_whitespace().next().unwrap())
}

/// Creates the operator, who is signed in then.
#[track_caller]
pub(crate) fn first_start(browser: &Browser, secondo: &Secondo) {
    first_start_and_see(browser, secondo, "No zones yet");
}

/// The same where there are zones already, or something else is to be seen.
#[track_caller]
fn first_start_and_see(browser: &Browser, secondo: &Secondo, text: &str) {
    browser.go(&(console(secondo) + &first_link(secondo)));
    browser.fill("E-mail address", EMAIL);
    browser.fill("Password", PASSWORD);
    browser.press("Create the operator");
    browser.sees(text);
}

/// Creates a zone; the browser is on its page then.
#[track_caller]
fn create_zone(browser: &Browser, secondo: &Secondo, name: &str, primary: SocketAddr) {
    create_zone_of(browser, secondo, "1", name, primary);
}

/// The same for the organisation of this number.
#[track_caller]
pub(crate) fn create_zone_of(
    browser: &Browser,
    secondo: &Secondo,
    organisation: &str,
    name: &str,
    primary: SocketAddr,
) {
    browser.go(&format!("{}/o/{organisation}/zones/new", console(secondo)));
    browser.fill("Domain", name);
    browser.fill("Address", &primary.ip().to_string());
    browser.press("More: port, TSIG key, TLS");
    browser.fill("Port", &primary.port().to_string());
    browser.press("Create");
}

/// Nothing that a page loads or does was kept out or failed.
#[track_caller]
pub(crate) fn is_clean(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new(), "at {}", browser.url());
}

/// The code that an authenticator with this secret shows, so many steps of time from now (RFC 6238).
fn code(secret: &str, steps: i64) -> String {
    let program = "import base64, hashlib, hmac, struct, sys, time\n\
        counter = struct.pack('>Q', int(time.time()) // 30 + int(sys.argv[2]))\n\
        digest = hmac.new(base64.b32decode(sys.argv[1]), counter, hashlib.sha1).digest()\n\
        at = digest[-1] & 15\n\
        print('%06d' % ((struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000))\n";
    testing::process::run(testing::python::program(program).args([secret, &steps.to_string()])).trim().to_owned()
}
