//! One's own password, second factor and sessions.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use qrcodegen::{QrCode, QrCodeEcc};
use zone::TenantId;

use super::page::{Frame, again, page, refusal};
use super::session::{Cookies, Form, Somebody};
use super::words::{self, sentence};
use crate::json;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    frame: Frame,
    has_second_factor: bool,
    recovery_codes: u64,
    sessions: Vec<json::Session>,
    done: String,
    password_error: String,
    factor_error: String,
    email_error: String,
    leave_error: String,
    /// Links for another address are sent by mail.
    sends_mail: bool,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactor {
    frame: Frame,
    secret: String,
    code: QrPicture,
    error: String,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodes {
    frame: Frame,
    codes: Vec<String>,
}

/// The picture that a telephone reads: the dark squares' path, and how many squares a side has with the margin.
struct QrPicture {
    side: i32,
    path: String,
}

/// Light squares around the code (ISO/IEC 18004 wants four).
const MARGIN: i32 = 4;

impl QrPicture {
    fn of(text: &str) -> Self {
        use std::fmt::Write as _;

        // An address of the longest kind fits several times.
        let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
            return Self { side: 0, path: String::new() };
        };
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
            }
        }
        Self { side: code.size() + 2 * MARGIN, path }
    }
}

pub(crate) async fn page_of_account(somebody: Somebody, State(served): State<Served>) -> Response {
    drawn(&served, &somebody, "").await.map_or_else(|problem| refusal(&problem), |account| page(&account))
}

pub(crate) async fn password(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let Somebody { who, visitor } = &somebody;
    let (present, new) = (form.verbatim("present"), form.verbatim("password"));
    let changed = served.doors.accounts.change_password(visitor, who, present, new).await;
    let account =
        drawn(&served, &somebody, "The password is changed; whoever else was signed in as you is no longer.");
    match (changed, account.await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(()), Ok(account)) => page(&account),
        (Err(problem), Ok(account)) => {
            again(&problem, &Account { password_error: sentence(problem.detail()), done: String::new(), ..account })
        }
    }
}

pub(crate) async fn second_factor_page(somebody: Somebody, State(served): State<Served>) -> Response {
    match served.doors.accounts.offer_second_factor(&somebody.who).await {
        Ok(offer) => page(&SecondFactor {
            frame: Frame::without_tenant(&somebody.who, "account"),
            code: QrPicture::of(&offer.url),
            secret: offer.secret,
            error: String::new(),
        }),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn second_factor(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let Somebody { who, visitor } = &somebody;
    let (secret, code) = (form.text("secret"), form.text("code"));
    let password = form.verbatim("password");
    match served.doors.accounts.set_second_factor(visitor, who, password, secret, code).await {
        Ok(codes) => page(&RecoveryCodes { frame: Frame::without_tenant(who, "account"), codes }),
        Err(problem) => {
            // The same secret again: the telephone has it already.
            let url = format!(
                "otpauth://totp/Secondo:{}?secret={secret}&issuer=Secondo",
                crate::percent_encoded(&who.email)
            );
            again(
                &problem,
                &SecondFactor {
                    frame: Frame::without_tenant(who, "account"),
                    code: QrPicture::of(&url),
                    secret: secret.to_owned(),
                    error: sentence(problem.detail()),
                },
            )
        }
    }
}

pub(crate) async fn remove_second_factor(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let Somebody { who, visitor } = &somebody;
    match served.doors.accounts.remove_second_factor(visitor, who, form.verbatim("password")).await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(problem) => match drawn(&served, &somebody, "").await {
            Ok(account) => again(&problem, &Account { factor_error: sentence(problem.detail()), ..account }),
            Err(problem) => refusal(&problem),
        },
    }
}

pub(crate) async fn email(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let Somebody { who, visitor } = &somebody;
    let asked = async {
        let email = text::email(form.text("email"))?;
        served.doors.newcomers.ask_for_email(visitor, who, form.verbatim("password"), &email).await?;
        Ok::<_, Problem>(email)
    };
    match asked.await {
        Ok(email) => {
            let done = format!("A link is on its way to {email}. Your address changes when it is used.");
            let account = drawn(&served, &somebody, &done).await;
            account.map_or_else(|problem| refusal(&problem), |account| page(&account))
        }
        Err(problem) => match drawn(&served, &somebody, "").await {
            Ok(account) => again(&problem, &Account { email_error: sentence(problem.detail()), ..account }),
            Err(problem) => refusal(&problem),
        },
    }
}

pub(crate) async fn leave(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let Somebody { who, visitor } = &somebody;
    let left = async {
        let unknown =
            || Problem::new(Code::TenantUnknown, "there is no such organisation, or you do not belong to it");
        let tenant = form.text("tenant").parse().map(TenantId).map_err(|_| unknown())?;
        served.doors.organisations.leave(visitor, who, tenant).await
    };
    match left.await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(problem) => match drawn(&served, &somebody, "").await {
            Ok(account) => again(&problem, &Account { leave_error: sentence(problem.detail()), ..account }),
            Err(problem) => refusal(&problem),
        },
    }
}

pub(crate) async fn sign_out_elsewhere(
    somebody: Somebody,
    State(served): State<Served>,
    _cookies: Cookies,
    _form: Form,
) -> Response {
    match served.doors.accounts.sign_out_elsewhere(&somebody.visitor, &somebody.who).await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(problem) => refusal(&problem),
    }
}

async fn drawn(served: &Served, somebody: &Somebody, done: &str) -> Result<Account, Problem> {
    let who = &somebody.who;
    Ok(Account {
        frame: Frame::without_tenant(who, "account"),
        has_second_factor: who.has_second_factor,
        recovery_codes: served.doors.accounts.recovery_codes(who).await?,
        sessions: served.doors.accounts.sessions(who).await?,
        done: done.to_owned(),
        password_error: String::new(),
        factor_error: String::new(),
        email_error: String::new(),
        leave_error: String::new(),
        sends_mail: served.doors.newcomers.offers().mail,
    })
}

#[cfg(test)]
mod tests {
    use super::QrPicture;

    #[test]
    fn a_picture_holds_its_code_within_a_margin() {
        let picture =
            QrPicture::of("otpauth://totp/Secondo:alice%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Secondo");
        assert!(picture.side >= 21 + 8, "{}", picture.side);
        assert!(picture.path.starts_with("M4 4h1v1h-1z"), "the corner of the first finder pattern is dark");
        assert!(!picture.path.contains("M3 "), "nothing is drawn in the margin");
    }
}
