//! What is asked of a zone, in the console: as pictures and as a table, for a zone that nobody asks for and for one that the
//! world does.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::{eventually, process, python, query, zone_text};

use super::{console, create_zone, first_start, is_clean, secondo};
use crate::scene::{SOON, ZONE};

#[test]
fn what_is_asked_of_a_zone_is_seen_as_pictures_and_as_a_table() {
    let mut secondo = secondo().started();
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, primary.address());
    browser.has("[data-state=active]");
    browser.sees("Queries of the last 24 hours");
    browser.press("Queries");
    browser.sees("Nothing has been asked here in this time");
    browser.keep_picture("zone-queries-empty");
    query::ask_udp(secondo.dns(), &format!("none.{ZONE}"), dns::Type::MX).unwrap();
    eventually(SOON, "the query to be shown", || {
        browser.go(&page(&secondo, "queries"));
        if browser.text().contains("no such name 1") { Ok(()) } else { Err(browser.text()) }
    });
    assert_eq!(browser.script("return document.querySelectorAll('.area').length"), 2);

    // Two years of a busy zone.
    primary.publish(ZONE, &zone_text::small(2));
    secondo.expect(&["zone", "refresh", ZONE]);
    primary.publish(ZONE, &zone_text::small(3));
    secondo.expect(&["zone", "refresh", ZONE]);
    secondo.terminate();
    fill(&secondo);
    secondo.start();
    browser.go(&page(&secondo, "queries"));
    browser.sees("Names asked for most");
    browser.sees("<script>alert");
    browser.sees("Most queries ask for names that are not in the zone");
    browser.press("All of it as a table");
    let rows = browser.script("return document.querySelectorAll('.numbers tbody tr').length");
    assert!(rows.as_i64() >= Some(23), "{rows}");
    browser.press("All of it as a table");
    assert_eq!(browser.script("return document.querySelectorAll('.column').length"), 48);
    browser.keep_picture("zone-queries");
    for (span, file) in [("7 days", "week"), ("35 days", "month"), ("two years", "years")] {
        browser.press(span);
        browser.has(".area");
        browser.keep_picture(&format!("zone-queries-{file}"));
    }
    browser.prefer_dark(true);
    browser.go(&page(&secondo, "queries"));
    browser.keep_picture("zone-queries-dark");
    browser.go(&page(&secondo, ""));
    browser.sees("Serials");
    browser.has(".plot .line");
    browser.keep_picture("zone-overview-dark");
    browser.resize(360, 740);
    for (below, file) in [("queries", "narrow-zone-queries"), ("", "narrow-zone-overview")] {
        browser.go(&page(&secondo, below));
        browser.has(".area");
        browser.keep_picture(file);
        let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "the page is wider than the screen by {overflow}");
    }
    for width in [360, 375, 1280] {
        browser.resize(width, 812);
        for below in ["queries", "", "history"] {
            browser.go(&page(&secondo, below));
            browser.has(".plot");
            assert_eq!(browser.script(PICTURES), serde_json::json!([]), "at {width} in {below:?}");
        }
    }
    is_clean(&browser);
}

/// What is wrong with the page's pictures: that one does not fill its card, that its newest end is not to be seen without pushing
/// it, or that its letters are too small to be read.
const PICTURES: &str = "return [...document.querySelectorAll('.plot')].flatMap(plot => {\
    const card = plot.closest('.card'), style = getComputedStyle(card), box = card.getBoundingClientRect();\
    const right = box.right - parseFloat(style.paddingRight), left = box.left + parseFloat(style.paddingLeft);\
    const graph = plot.querySelector('.graph').getBoundingClientRect(), wrong = [];\
    if (Math.abs(graph.right - right) > 1 || Math.abs(graph.left - left) > 1) wrong.push('does not fill its card');\
    if ([plot, ...plot.querySelectorAll('*')].some(one => one.scrollLeft > 0 || one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'auto')) wrong.push('is scrolled');\
    const newest = [...plot.querySelectorAll('.dot, .area')].map(one => one.getBoundingClientRect().right);\
    if (Math.max(...newest) > window.innerWidth || Math.max(...newest) < right - 30) wrong.push('its newest end is at ' + Math.max(...newest) + ' of ' + right);\
    const small = [...plot.querySelectorAll('text, .ends span')].filter(one => one.getBoundingClientRect().height < 11);\
    if (small.length) wrong.push(small.length + ' labels are too small');\
    return wrong;\
})";

fn page(secondo: &Secondo, below: &str) -> String {
    let path = format!("/o/1/zones/{ZONE}/{below}");
    console(secondo) + path.trim_end_matches('/')
}

/// Writes what may have been asked in two years, most of it for names that are not there, and one name that is no good.
fn fill(secondo: &Secondo) {
    const PROGRAM: &str = "import math, sqlite3, sys, time\n\
        connection = sqlite3.connect(sys.argv[1], timeout=20)\n\
        hour = int(time.time()) // 3600\n\
        zone = connection.execute('SELECT id FROM zones').fetchone()[0]\n\
        def row(at, scale):\n\
        \x20   day = 1.2 + math.sin(at * math.pi / 12)\n\
        \x20   kinds = [int(scale * day * part) for part in (41, 25, 2, 4, 5, 1, 14, 3)]\n\
        \x20   answered, nodata, referral = int(sum(kinds) * .3), int(sum(kinds) * .1), int(sum(kinds) * .03)\n\
        \x20   return kinds + [answered, nodata, sum(kinds) - answered - nodata - referral - scale, referral, scale]\n\
        insert = 'INSERT OR REPLACE INTO query_%s VALUES (' + ','.join('?' * 15) + ')'\n\
        for ago in range(1, 840):\n\
        \x20   connection.execute(insert % 'hours', [zone, hour - ago] + row(hour - ago, 1000 + ago % 168))\n\
        for ago in range(36, 731):\n\
        \x20   connection.execute(insert % 'days', [zone, hour // 24 - ago] + row(ago / 4, 24 * (1800 - 2 * ago)))\n\
        for number, name in enumerate(['www', 'mail', 'api', '_dmarc', '<script>alert(1)</script>', 'x' * 63]):\n\
        \x20   queries = (40 - number) * 10240\n\
        \x20   connection.execute('INSERT INTO query_names VALUES (?, ?, ?, ?)', [zone, hour // 24, name + '.example.test.', queries])\n\
        connection.commit()\n";
    process::run(python::program(PROGRAM).arg(secondo.data().join("inventory.db")));
}
