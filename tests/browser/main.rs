//! The page in a real browser, in front of the whole system: what an operator sees and does.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "test code"
)]

mod browser;
#[path = "../support/demo.rs"]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use libtest_mimic::{Arguments, Failed};
use serde_json::{Value, json};

use browser::Browser;
use support::Demo;

type Tested = Result<(), Failed>;

fn main() {
    let missing = tools::missing(&[
        ("chromium", &["chromium", "--version"]),
        ("chromedriver", &["chromedriver", "--version"]),
    ]);
    let trial = |name, test| tools::trial(name, missing, test);
    let trials = vec![
        trial("the_overview_shows_the_system_and_follows_it", follows),
        trial("a_halt_from_the_page_stops_entries_for_all_to_see", halts),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn console(demo: &Demo) -> &str {
    demo.ready["console"].as_str().unwrap()
}

fn log_in(browser: &Browser, demo: &Demo) {
    browser.open(console(demo));
    browser.fill("#user", demo.ready["user"].as_str().unwrap());
    browser.fill("#password", demo.ready["password"].as_str().unwrap());
    browser.click("button[type=submit]");
    browser.wait_for("the live page", "#live", |text| text == "Live");
}

/// Marks the page, so that a reload would show.
fn mark(browser: &Browser) {
    browser.run("window.marked = true");
}

fn assert_not_reloaded(browser: &Browser) {
    assert_eq!(browser.run("return window.marked === true"), json!(true), "the page was loaded again");
}

/// A figure of the page as a number.
fn figure(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or(0)
}

fn follows() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    let browser = Browser::start();

    browser.open(console(&demo));
    assert_eq!(browser.title(), "Log in · Portcullis");
    browser.fill("#user", "operator");
    browser.fill("#password", "not the password");
    browser.click("button[type=submit]");
    browser.wait_for("the refusal", "[role=alert]", |text| text == "The user or the password is wrong.");
    browser.complaints();

    log_in(&browser, &demo);
    assert_eq!(browser.title(), "Overview · Portcullis");
    assert_eq!(browser.text("[data-fact=environment]").to_lowercase(), "paper");
    assert_eq!(browser.text("[data-fact=state]"), "active");
    let strategies = browser.text("#strategies");
    for text in ["ema-cross", "market-maker", "linear:BTCUSDT", "linear:ETHUSDT", "running"] {
        assert!(strategies.contains(text), "{text} is missing in {strategies}");
    }

    mark(&browser);
    let before = figure(&browser.text("[data-fact=journal]"));
    browser.wait_for("news", "[data-fact=journal]", |text| figure(text) > before);
    assert_not_reloaded(&browser);

    // The gateway falls silent and comes back; the page says so.
    support::kill(demo.pid("gateway"), "STOP");
    browser.wait_for("the notice", "#live", |text| text == "Waiting for the gateway");
    assert!(browser.text("#notice").contains("The gateway did not answer in time."));
    support::kill(demo.pid("gateway"), "CONT");
    browser.wait_for("the return", "#live", |text| text == "Live");
    assert_not_reloaded(&browser);

    assert_eq!(browser.complaints(), Vec::<String>::new());
    // What the policy forbids is complained about; so the silence before means something.
    browser.run("document.body.setAttribute('style', 'color: red')");
    let complaints = browser.complaints();
    assert!(complaints.iter().any(|text| text.contains("Content Security Policy")), "{complaints:?}");
    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    Ok(())
}

fn halts() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    demo.wait_for("trading", &["status"], |status| status["journal"]["records"].as_u64() > Some(40));
    let (hand, eye) = (Browser::start(), Browser::start());
    log_in(&hand, &demo);
    log_in(&eye, &demo);
    mark(&eye);

    hand.click(".halt summary");
    hand.fill("#reason", "the browser says so");
    hand.click("[name=confirm]");
    hand.click(".halt button");
    hand.wait_for("the halt", "[data-fact=state]", |text| text == "entries-cancelled");
    eye.wait_for("the halt on the other page", "[data-fact=state]", |text| text == "entries-cancelled");
    assert_not_reloaded(&eye);

    let no_orders = |orders: &Value| orders["orders"] == json!([]);
    demo.wait_for("the end of all entries", &["orders"], no_orders);
    let events = |status: &Value| status["strategies"][0]["events"].as_u64().unwrap();
    let seen = events(&demo.ask(&["status"]));
    demo.wait_for("more of the market", &["status"], |status| events(status) > seen + 500);
    assert!(no_orders(&demo.ask(&["orders"])), "entries were taken after the halt");
    for browser in [&hand, &eye] {
        browser.wait_for("the end of all entries", "#open-orders-empty", |text| text == "No open orders.");
        let refusals = browser.wait_for("refusals", "#refusals-note", |text| !text.is_empty());
        assert!(refusals.contains("STATE_ENTRIES_CANCELLED"), "{refusals}");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
    let journal = support::portcullis(&demo.dir, &["journal", "tail"]);
    let journal = String::from_utf8(journal.stdout).unwrap();
    assert!(journal.contains("console:operator") && journal.contains("the browser says so"), "{journal}");
    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    Ok(())
}
