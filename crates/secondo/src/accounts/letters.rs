//! What people are written, in plain text: each letter says why it came, and what to do when it should not have.

use alerts::{Letter, NotAnAddress};

type Written = Result<Letter, NotAnAddress>;

/// To somebody who signs up.
pub(crate) fn sign_up(to: &str, organisation: &str, url: &str) -> Written {
    let text = format!(
        "Hello,\n\nsomebody, probably you, signs up at Secondo with this address, for the organisation\n\n    {organisation}\n\n\
         To go on, open this page within a day and type the password that you chose:\n\n    {url}\n\n\
         If it was not you, do nothing: without the link no account is made.\n"
    );
    Letter::new(to, "Confirm your address", text)
}

/// To somebody who has an account and signs up, or is said to.
pub(crate) fn known_already(to: &str, sign_in: &str, forgotten: &str) -> Written {
    let text = format!(
        "Hello,\n\nsomebody, probably you, wanted to sign up at Secondo with this address, which has an account already.\n\n\
         Sign in:                     {sign_in}\n\
         If the password is forgotten: {forgotten}\n\n\
         If it was not you, do nothing: nothing has changed.\n"
    );
    Letter::new(to, "You have an account already", text)
}

/// To somebody who has forgotten their password, or is new and has none.
pub(crate) fn password(to: &str, url: &str, lasts: &str) -> Written {
    let text = format!(
        "Hello,\n\nthis page sets the password of your account at Secondo, once, for {lasts}:\n\n    {url}\n\n\
         If you did not ask for it, do nothing: your password stays as it is, and nobody knows it from us.\n"
    );
    Letter::new(to, "Set your password", text)
}

pub(crate) fn invitation(to: &str, organisation: &str, by: &str, role: &str, url: &str) -> Written {
    let text = format!(
        "Hello,\n\n{by} invites you to the organisation\n\n    {organisation}\n\nat Secondo, as {role}. \
         To join, open this page within seven days:\n\n    {url}\n\n\
         If you do not know what this is about, do nothing.\n"
    );
    Letter::new(to, &format!("Invitation to {organisation}"), text)
}

/// To an address that an organisation wants its alerts sent to.
pub(crate) fn alerts(to: &str, organisation: &str, url: &str) -> Written {
    let text = format!(
        "Hello,\n\nthe organisation\n\n    {organisation}\n\nat Secondo wants to have alerts about its zones sent to this \
         address. If you want them, open this page:\n\n    {url}\n\nIf not, do nothing: none is sent.\n"
    );
    Letter::new(to, &format!("Alerts of {organisation}"), text)
}

/// To the address that somebody wants to have.
pub(crate) fn another_address(to: &str, before: &str, url: &str) -> Written {
    let text = format!(
        "Hello,\n\nwhoever signs in at Secondo as {before} wants to do so with this address from now on. \
         If that is you, open this page within a day:\n\n    {url}\n\nIf it is not, do nothing.\n"
    );
    Letter::new(to, "Confirm your new address", text)
}

/// To the address that somebody wants to have, and that somebody has.
pub(crate) fn address_taken(to: &str) -> Written {
    let text = "Hello,\n\nsomebody wanted to use this address for their account at Secondo. It has an account of its own already, \
                so that nothing has changed.\n"
        .to_owned();
    Letter::new(to, "This address has an account already", text)
}

/// To the address that somebody has, while it is still theirs.
pub(crate) fn address_is_to_change(to: &str, wanted: &str, account: &str) -> Written {
    let text = format!(
        "Hello,\n\nsomebody who is signed in at Secondo as you, and knows your password, wants to use the address {wanted} \
         instead of this one. It changes when the link is used that was sent there.\n\n\
         If it was not you, change your password now, which ends that link:\n\n    {account}\n"
    );
    Letter::new(to, "Your address is to change", text)
}

/// To the address that was somebody's.
pub(crate) fn address_changed(to: &str, now: &str) -> Written {
    let text = format!(
        "Hello,\n\nyour account at Secondo has the address {now} from now on, and this one no more.\n\n\
         If it was not you, tell whoever runs the service.\n"
    );
    Letter::new(to, "Your address has changed", text)
}

pub(crate) fn second_factor_removed(to: &str, account: &str) -> Written {
    let text = format!(
        "Hello,\n\nan operator has taken the second factor off your account at Secondo: signing in takes your password alone \
         now. Set another one soon:\n\n    {account}\n\n\
         If you have not asked for that, change your password, and tell whoever runs the service.\n"
    );
    Letter::new(to, "Your second factor was removed", text)
}
