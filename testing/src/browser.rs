//! A real browser: Debian's Chromium without a window, driven through its WebDriver as a person drives it.
//!
//! Elements are found as people find them: fields by their labels, buttons and links by their texts. Everything that is
//! waited for is waited for until a deadline. Pictures of pages are kept below `target/screenshots`, to be looked at.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::process::{Process, read_lossy};
use crate::{eventually, port};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// A window as most people have it.
const WIDE: (u32, u32) = (1280, 900);

/// A browser with a profile of its own, which is gone with it.
pub struct Browser {
    agent: Agent,
    /// The session's URL at the driver.
    session: String,
    driver: Option<Process>,
    _profile: TempDir,
}

/// WebDriver's name for the field in which an element's id is (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A field's name on the page, or a button's.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "no label here has a quotation mark");
    format!("\"{text}\"")
}

impl Browser {
    /// # Panics
    /// When Chromium or its driver cannot be started: `./test` installs them.
    pub fn start() -> Self {
        let profile = TempDir::with_prefix("secondo-browser-").expect("there is room for temporary files");
        let driver_port = port::free().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={driver_port}")).env("HOME", profile.path());
        let log = profile.path().join("chromedriver.log");
        let driver = Process::start(command, &log);
        let arguments = [
            "--headless=new",
            // As root there is no other way; what it loads is ours.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--lang=en-GB",
        ];
        let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().join("profile").display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            // The tests' own certificates.
            "acceptInsecureCerts": true,
        } } });
        let agent: Agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
        let url = format!("http://127.0.0.1:{driver_port}/session");
        let session = eventually(PATIENCE, "a browser", || {
            let opened = sent(&agent, &url, &wanted).map_err(|error| format!("{error}\n{}", read_lossy(&log)))?;
            let id = opened["sessionId"].as_str().ok_or_else(|| opened.to_string())?;
            Ok(format!("{url}/{id}"))
        });
        let browser = Self { agent, session, driver: Some(driver), _profile: profile };
        browser.resize(WIDE.0, WIDE.1);
        browser
    }

    pub fn resize(&self, width: u32, height: u32) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// Has pages believe that somebody prefers dark ones.
    pub fn prefer_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    #[track_caller]
    pub fn go(&self, url: &str) {
        self.command("/url", &json!({ "url": url })).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.script("return location.href").as_str().unwrap_or_default().to_owned()
    }

    /// Types into the field with this label, in the place of what is there.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let label = quoted(label);
        let field = format!(
            "//*[self::input or self::select or self::textarea][@id=//label[normalize-space()={label}]/@for]"
        );
        self.with_element(&field, |element| {
            let tag = self.asked(&format!("/element/{element}/name"))?;
            if tag == "select" {
                let option = format!("{field}/option[normalize-space()={}]", quoted(text));
                let option = self.element(&option)?;
                return self.command(&format!("/element/{option}/click"), &json!({})).map(drop);
            }
            self.command(&format!("/element/{element}/clear"), &json!({}))?;
            self.command(&format!("/element/{element}/value"), &json!({ "text": text })).map(drop)
        });
    }

    /// Presses the button, follows the link or opens the summary that says this.
    #[track_caller]
    pub fn press(&self, text: &str) {
        let text = quoted(text);
        let path = format!(
            "//*[self::button or self::a or self::summary or self::label][normalize-space()={text} or @aria-label={text}]"
        );
        self.with_element(&path, |element| self.command(&format!("/element/{element}/click"), &json!({})).map(drop));
    }

    /// Waits until the page says this somewhere that can be seen.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let wanted = text.split_whitespace().collect::<Vec<_>>().join(" ");
        eventually(PATIENCE, &format!("the page to say {text:?}"), || {
            let seen = self.text();
            if seen.contains(&wanted) { Ok(()) } else { Err(format!("at {}: {seen}", self.url())) }
        });
    }

    /// Waits until the page does not say this any more: a page before may have.
    #[track_caller]
    pub fn sees_no_more(&self, text: &str) {
        eventually(PATIENCE, &format!("the page to say {text:?} no more"), || {
            let seen = self.text();
            if seen.contains(text) { Err(format!("at {}: {seen}", self.url())) } else { Ok(()) }
        });
    }

    /// Everything that can be read on the page.
    pub fn text(&self) -> String {
        let text = self.script("return document.body.innerText");
        text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until there is such an element.
    #[track_caller]
    pub fn has(&self, css: &str) {
        eventually(PATIENCE, &format!("the page to have {css}"), || {
            let count = self.script(&format!("return document.querySelectorAll({}).length", json!(css)));
            if count != 0 { Ok(()) } else { Err(format!("at {}: {}", self.url(), self.text())) }
        });
    }

    /// The text of the first such element.
    #[track_caller]
    pub fn text_of(&self, css: &str) -> String {
        self.has(css);
        let text = self.script(&format!("return document.querySelector({}).textContent.trim()", json!(css)));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What the script returns.
    pub fn script(&self, script: &str) -> Value {
        // A page that is just being left has nothing to say.
        self.command("/execute/sync", &json!({ "script": script, "args": [] })).unwrap_or(Value::Null)
    }

    /// Presses keys one after the other, as from a keyboard: text, and the keys of WebDriver (`\u{E004}` is Tab).
    pub fn type_keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() })))
            .collect();
        let keyboard = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.command("/actions", &keyboard).unwrap_or_else(|error| panic!("typing: {error}"));
    }

    /// Keeps a picture of the whole page.
    pub fn keep_picture(&self, name: &str) {
        let height = self.script("return Math.ceil(document.documentElement.scrollHeight)").as_u64().unwrap_or(900);
        let width = self.script("return window.innerWidth").as_u64().unwrap_or(1280);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height.clamp(300, 6000), "scale": 1 });
        let picture = self.cdp("Page.captureScreenshot", json!({ "captureBeyondViewport": true, "clip": clip }));
        let octets = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("a picture is in base64");
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        std::fs::create_dir_all(&directory).expect("the target directory is writable");
        std::fs::write(directory.join(format!("{name}.png")), octets).expect("the target directory is writable");
    }

    /// What the page's console has said since it was last asked: scripts' faults, and what the policy has kept out.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({ "type": "browser" })).unwrap_or_else(|error| panic!("{error}"));
        let entries = log.as_array().cloned().unwrap_or_default();
        let is_ours = |entry: &&Value| {
            entry["level"] == "SEVERE"
                && !entry["message"].as_str().unwrap_or_default().contains("the server responded with a status of")
        };
        entries.iter().filter(is_ours).map(|entry| entry["message"].to_string()).collect()
    }

    /// The value of a cookie as the browser has it, with its attributes.
    pub fn cookie(&self, name: &str) -> Option<Value> {
        let cookies = self.cdp("Network.getCookies", json!({}));
        let cookies = cookies["cookies"].as_array().cloned().unwrap_or_default();
        cookies.into_iter().find(|cookie| cookie["name"] == name)
    }

    /// Looks for the element until it is there and can be used.
    #[track_caller]
    fn with_element(&self, xpath: &str, act: impl Fn(&str) -> Result<(), String>) {
        eventually(PATIENCE, xpath, || {
            let acted = self.element(xpath).and_then(|element| act(&element));
            acted.map_err(|error| format!("at {}: {error}\n{}", self.url(), self.text()))
        });
    }

    fn element(&self, xpath: &str) -> Result<String, String> {
        let found = self.command("/element", &json!({ "using": "xpath", "value": xpath }))?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| found.to_string())
    }

    fn cdp(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.command("/goog/cdp/execute", &body).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value, String> {
        sent(&self.agent, &format!("{}{path}", self.session), body)
    }

    fn asked(&self, path: &str) -> Result<Value, String> {
        answer(self.agent.get(format!("{}{path}", self.session)).call())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Has the browser end before its profile is gone.
        let _ = self.agent.delete(&self.session).call();
        self.driver = None;
    }
}

fn sent(agent: &Agent, url: &str, body: &Value) -> Result<Value, String> {
    answer(agent.post(url).send_json(body))
}

/// What the driver answers (W3C WebDriver §6.3): a value, or an error with its reason.
fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut answer: Value = response
        .and_then(|mut response| response.body_mut().with_config().limit(u64::MAX).read_json())
        .map_err(|error| error.to_string())?;
    match answer["value"]["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", answer["value"]["message"].as_str().unwrap_or_default())),
        None => Ok(answer["value"].take()),
    }
}
