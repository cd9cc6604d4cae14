//! Many zones imported in the console: a list is pasted or sent as a file, and what came of each line is there to be seen.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::zone_text;

use super::{console, first_start, is_clean, secondo};
use crate::scene::serves;

#[test]
fn zones_are_imported_by_pasting_or_by_a_file_and_each_line_that_fails_says_why() {
    let primary = Primary::with_zone("alpha.test", &zone_text::small(5));
    primary.publish("beta.test", &zone_text::small(9));
    let address = primary.address().to_string();
    let secondo = secondo().started();
    let (browser, url) = (Browser::start(), console(&secondo));
    first_start(&browser, &secondo);
    browser.press("Import many");
    browser.keep_picture("import-empty");
    browser.press("Import");
    browser.sees("Paste a list, or choose a file");
    // A configuration that does not say where its zones are copied from: wrong with every line.
    browser.fill("List", "zone \"alpha.test\" { type primary; file \"alpha\"; };");
    browser.press("Import");
    browser.sees("Not added");
    browser.sees("say it for all such zones");
    browser.go(&(url.clone() + "/o/1/zones/import"));
    browser.fill(
        "List",
        "\nzone \"alpha.test\" { type primary; file \"alpha\"; };\nzone \"a..b\" { type primary; };\ninclude \"more.conf\";\n",
    );
    browser.fill("Addresses of their primary", &address);
    browser.press("Import");
    browser.sees("1 zone added, 2 lines not.");
    browser.sees("The file more.conf is included here and not read");
    browser.keep_picture("import-done");
    serves(&secondo, "alpha.test", 5);
    let results = browser.url() + "/results.csv";
    let table = browser.script(&format!(
        "const asked = new XMLHttpRequest(); asked.open('GET', '{results}', false); asked.send(); return asked.responseText"
    ));
    let table = table.as_str().unwrap();
    assert!(table.contains("2,alpha.test.,added,,") && table.contains("3,,failed,zone_name_invalid,"), "{table}");

    // A file goes before what stands in the field.
    browser.go(&(url.clone() + "/o/1/zones/import"));
    browser.fill("List", "gamma.test 127.0.0.1");
    browser.script(&format!(
        "const files = new DataTransfer(); files.items.add(new File(['name,primaries\\nbeta.test,{address}\\n'], 'zones.csv')); \
         document.getElementById('file').files = files.files"
    ));
    browser.press("Import");
    browser.sees("1 zone added.");
    serves(&secondo, "beta.test", 9);
    let names: Vec<_> = crate::scene::zones(&secondo).iter().map(|zone| zone["name"].clone()).collect();
    assert_eq!(names, ["alpha.test.", "beta.test."]);
    is_clean(&browser);
    browser.go(&(url + "/o/1/zones/import/4711"));
    browser.sees("4711");
}
