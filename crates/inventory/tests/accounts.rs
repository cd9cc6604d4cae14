//! Users, sessions, tokens, links and the audit log, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    Actor, AuditOf, By, Hashed, Inventory, NewSession, NewToken, NewUser, Purpose, Role, Scope, Scopes, SecondFactor,
    Stage, Standing, TenantId, TokenError, UserError, UserId,
};
use place::{Engine, NOW, Place, open};
use xfr::Moment;

on_both_engines!(
    the_first_operator_is_created_once_and_owns_the_default_tenant,
    a_link_does_one_thing_once_and_not_after_its_time,
    an_address_is_there_once_in_whatever_case,
    a_session_ends_when_it_is_not_used_and_at_the_latest_after_a_month,
    a_session_that_waits_for_a_code_is_replaced_by_an_open_one,
    another_password_signs_out_everybody_but_the_session_that_is_kept,
    a_code_and_a_recovery_code_count_once,
    the_last_operator_and_the_last_owner_stay,
    a_token_opens_its_tenant_until_it_ends_or_is_removed,
    a_token_goes_with_the_user_who_made_it,
    each_tenant_reads_its_own_audit_log,
    of_many_who_use_one_link_at_once_one_succeeds,
);

const OURS: TenantId = TenantId::DEFAULT;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn by(at: Moment) -> By {
    By { actor: Actor::Machine, address: Some([192, 0, 2, 7].into()), at }
}

fn later(ms: u64) -> Moment {
    Moment(NOW.0 + ms)
}

fn user(email: &str) -> NewUser {
    NewUser { email: email.into(), password: "$argon2id$".into(), standing: Standing::User }
}

async fn signed_in(inventory: &Inventory, user: UserId, secret: &str, at: Moment) {
    let secret = Hashed::of(secret);
    let session = NewSession { user, secret, stage: Stage::Open, agent: "a browser".into(), replaces: None };
    inventory.open_session(&by(at), &session).await.unwrap();
}

async fn the_first_operator_is_created_once_and_owns_the_default_tenant(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    assert!(!inventory.has_operator().await.unwrap());
    let link = Hashed::of("link");
    inventory.make_link(&Purpose::Operator, &link, NOW, later(DAY)).await.unwrap();
    assert_eq!(inventory.link(&link, NOW).await.unwrap().unwrap().purpose, Purpose::Operator);
    let create = async |email: &str| inventory.create_first_operator(&by(NOW), &link, email, "$argon2id$").await;
    let id = create("Operator@example.org").await.unwrap();
    assert!(inventory.has_operator().await.unwrap());
    let memberships = inventory.memberships(id).await.unwrap();
    assert_eq!((memberships[0].tenant, memberships[0].role), (OURS, Role::Owner));
    assert!(matches!(create("other@example.org").await, Err(UserError::LinkUsed)));
    // Another link does not make a second first one.
    inventory.make_link(&Purpose::Operator, &link, NOW, later(DAY)).await.unwrap();
    assert!(matches!(create("other@example.org").await, Err(UserError::LinkUsed)));
    assert_eq!(inventory.users().await.unwrap().len(), 1);
}

async fn a_link_does_one_thing_once_and_not_after_its_time(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let other = inventory.add_user(&by(NOW), &user("bob@example.org")).await.unwrap();
    let (first, second) = (Hashed::of("first"), Hashed::of("second"));
    inventory.make_link(&Purpose::password(id), &first, NOW, later(DAY)).await.unwrap();
    inventory.make_link(&Purpose::password(other), &second, NOW, later(DAY)).await.unwrap();
    let reset = async |link: &Hashed, user: UserId, at: Moment| {
        inventory.reset_password(&by(at), link, user, "$other$").await
    };
    assert!(matches!(reset(&first, other, NOW).await, Err(UserError::LinkUsed)), "it is somebody else's");
    assert!(matches!(reset(&first, id, later(DAY)).await, Err(UserError::LinkUsed)), "its time is over");
    assert_eq!(inventory.link(&first, later(DAY)).await.unwrap(), None);
    reset(&first, id, later(DAY - 1)).await.unwrap();
    assert_eq!(inventory.user(id).await.unwrap().unwrap().password, "$other$");
    assert!(matches!(reset(&first, id, NOW).await, Err(UserError::LinkUsed)), "it was used");
    // One made later takes the place of the one before.
    inventory.make_link(&Purpose::password(other), &Hashed::of("third"), NOW, later(DAY)).await.unwrap();
    assert!(matches!(reset(&second, other, NOW).await, Err(UserError::LinkUsed)));
    // Whoever has another password meanwhile needs no link any more.
    inventory.set_password(&by(NOW), other, "$new$", None).await.unwrap();
    assert_eq!(inventory.link(&Hashed::of("third"), NOW).await.unwrap(), None);
}

async fn an_address_is_there_once_in_whatever_case(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("Alice@Example.org")).await.unwrap();
    let again = inventory.add_user(&by(NOW), &user("alice@example.ORG")).await;
    assert!(matches!(again, Err(UserError::ExistsAlready(_))));
    let found = inventory.user_by_email("ALICE@example.org").await.unwrap().unwrap();
    assert_eq!((found.id, found.email.as_str()), (id, "Alice@Example.org"));
    assert_eq!(inventory.user_by_email("alice@example.net").await.unwrap(), None);
}

async fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_a_month(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let secret = Hashed::of("idle");
    signed_in(&inventory, id, "idle", NOW).await;
    assert!(inventory.session(&secret, later(12 * HOUR - 1)).await.unwrap().is_some());
    // That use has made it last; not using it ends it.
    assert!(inventory.session(&secret, later(23 * HOUR)).await.unwrap().is_some());
    assert!(inventory.session(&secret, later(23 * HOUR + 12 * HOUR)).await.unwrap().is_none());
    assert!(inventory.session(&Hashed::of("another"), NOW).await.unwrap().is_none());
    signed_in(&inventory, id, "busy", NOW).await;
    let busy = Hashed::of("busy");
    for hours in (0..30 * 24).step_by(11) {
        assert!(inventory.session(&busy, later(hours * HOUR)).await.unwrap().is_some(), "after {hours} h");
    }
    assert!(inventory.session(&busy, later(30 * DAY)).await.unwrap().is_none());
    assert_eq!(inventory.user(id).await.unwrap().unwrap().seen_at, Some(NOW));
}

async fn a_session_that_waits_for_a_code_is_replaced_by_an_open_one(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let (waiting, opened) = (Hashed::of("waiting"), Hashed::of("opened"));
    let session =
        NewSession { user: id, secret: waiting.clone(), stage: Stage::Code, agent: String::new(), replaces: None };
    inventory.open_session(&by(NOW), &session).await.unwrap();
    assert_eq!(inventory.session(&waiting, later(1)).await.unwrap().unwrap().stage, Stage::Code);
    assert!(inventory.session(&waiting, later(5 * 60_000)).await.unwrap().is_none(), "it does not wait for long");
    assert!(inventory.sessions_of(id, NOW).await.unwrap().is_empty());
    let session =
        NewSession { secret: opened.clone(), stage: Stage::Open, replaces: Some(waiting.clone()), ..session };
    inventory.open_session(&by(NOW), &session).await.unwrap();
    assert!(inventory.session(&waiting, NOW).await.unwrap().is_none());
    let sessions = inventory.sessions_of(id, NOW).await.unwrap();
    assert!(sessions.len() == 1 && opened.stands_as(&sessions[0].id));
    inventory.end_session(&opened).await.unwrap();
    assert!(inventory.session(&opened, NOW).await.unwrap().is_none());
}

async fn another_password_signs_out_everybody_but_the_session_that_is_kept(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let other = inventory.add_user(&by(NOW), &user("bob@example.org")).await.unwrap();
    for secret in ["one", "two", "three"] {
        signed_in(&inventory, id, secret, NOW).await;
    }
    signed_in(&inventory, other, "bobs", NOW).await;
    let is_open = async |secret: &str| inventory.session(&Hashed::of(secret), NOW).await.unwrap().is_some();
    inventory.set_password(&by(NOW), id, "$new$", Some(&Hashed::of("two"))).await.unwrap();
    assert_eq!([is_open("one").await, is_open("two").await, is_open("three").await], [false, true, false]);
    signed_in(&inventory, id, "four", NOW).await;
    inventory.end_sessions_of(&by(NOW), id, Some(&Hashed::of("four"))).await.unwrap();
    assert_eq!([is_open("two").await, is_open("four").await, is_open("bobs").await], [false, true, true]);
    inventory.make_link(&Purpose::password(id), &Hashed::of("link"), NOW, later(DAY)).await.unwrap();
    inventory.reset_password(&by(NOW), &Hashed::of("link"), id, "$newer$").await.unwrap();
    assert_eq!([is_open("four").await, is_open("bobs").await], [false, true]);
}

async fn a_code_and_a_recovery_code_count_once(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let codes = ["first", "second"].map(Hashed::of);
    inventory.set_totp(&by(NOW), id, "SECRET", 7, &codes).await.unwrap();
    let counts = async |factor: SecondFactor| inventory.use_second_factor(&by(NOW), id, &factor).await.unwrap();
    assert!(!counts(SecondFactor::Totp { step: 7 }).await, "it was shown when it was set");
    assert!(counts(SecondFactor::Totp { step: 8 }).await);
    assert!(!counts(SecondFactor::Totp { step: 8 }).await);
    assert!(!counts(SecondFactor::Totp { step: 6 }).await, "nor does an older one");
    assert!(counts(SecondFactor::Recovery(codes[0].clone())).await);
    assert!(!counts(SecondFactor::Recovery(codes[0].clone())).await);
    assert_eq!(inventory.recovery_codes(id).await.unwrap(), 1);
    // New ones take the place of those before; without a second factor there are none.
    inventory.set_totp(&by(NOW), id, "OTHER", 9, &[Hashed::of("third")]).await.unwrap();
    assert!(!counts(SecondFactor::Recovery(codes[1].clone())).await);
    inventory.remove_totp(&by(NOW), id).await.unwrap();
    assert_eq!(inventory.recovery_codes(id).await.unwrap(), 0);
    assert_eq!(inventory.user(id).await.unwrap().unwrap().totp_secret, None);
}

async fn the_last_operator_and_the_last_owner_stay(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let operator = NewUser { standing: Standing::Operator, ..user("operator@example.org") };
    let operator = inventory.add_user(&by(NOW), &operator).await.unwrap();
    let owner = inventory.add_member(&by(NOW), OURS, &user("owner@example.org"), Role::Owner).await.unwrap();
    let remove = async |user| inventory.remove_user(&by(NOW), user).await;
    assert!(matches!(remove(operator).await, Err(UserError::LastOperator(_))));
    assert!(matches!(remove(owner).await, Err(UserError::LastOwner { .. })));
    let demoted = inventory.set_role(&by(NOW), OURS, owner, Role::Editor).await;
    assert!(matches!(demoted, Err(UserError::LastOwner { .. })));
    let left = inventory.remove_member(&by(NOW), OURS, owner).await;
    assert!(matches!(left, Err(UserError::LastOwner { .. })));
    inventory.set_role(&by(NOW), OURS, operator, Role::Owner).await.unwrap();
    inventory.set_role(&by(NOW), OURS, owner, Role::Viewer).await.unwrap();
    let members = inventory.members(OURS).await.unwrap();
    let roles: Vec<_> = members.iter().map(|member| (member.email.as_str(), member.role)).collect();
    assert_eq!(roles, [("operator@example.org", Role::Owner), ("owner@example.org", Role::Viewer)]);
    signed_in(&inventory, owner, "theirs", NOW).await;
    remove(owner).await.unwrap();
    assert!(inventory.session(&Hashed::of("theirs"), NOW).await.unwrap().is_none(), "who is gone is signed out");
    assert!(matches!(remove(owner).await, Err(UserError::Unknown)));
}

async fn a_token_opens_its_tenant_until_it_ends_or_is_removed(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, second) = place.open_with_second_tenant().await;
    let token = |name: &str, secret: &str, ends_at| NewToken {
        name: name.into(),
        secret: Hashed::of(secret),
        scopes: Scopes::of(&[Scope::Read, Scope::Keys]),
        ends_at,
    };
    inventory.add_token(&by(NOW), OURS, &token("ours", "a", Some(later(DAY)))).await.unwrap();
    inventory.add_token(&by(NOW), second, &token("ours", "b", None)).await.unwrap();
    let twice = inventory.add_token(&by(NOW), OURS, &token("ours", "c", None)).await;
    assert!(matches!(twice, Err(TokenError::ExistsAlready(_))));
    let found = inventory.token(&Hashed::of("a"), NOW).await.unwrap().unwrap();
    assert_eq!((found.tenant, found.scopes.to_string().as_str(), found.used_at), (OURS, "read keys", None));
    assert_eq!(inventory.tokens(OURS).await.unwrap()[0].used_at, Some(NOW), "that it was used is on record");
    assert_eq!(inventory.token(&Hashed::of("b"), NOW).await.unwrap().unwrap().tenant, second);
    assert!(inventory.token(&Hashed::of("a"), later(DAY)).await.unwrap().is_none());
    assert!(inventory.token(&Hashed::of("c"), NOW).await.unwrap().is_none());
    inventory.remove_token(&by(NOW), OURS, "ours").await.unwrap();
    assert!(inventory.token(&Hashed::of("a"), NOW).await.unwrap().is_none());
    assert!(inventory.token(&Hashed::of("b"), NOW).await.unwrap().is_some(), "another tenant's stays");
    assert!(matches!(inventory.remove_token(&by(NOW), OURS, "ours").await, Err(TokenError::Unknown(_))));
}

async fn a_token_goes_with_the_user_who_made_it(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&by(NOW), &user("alice@example.org")).await.unwrap();
    let alice = By { actor: Actor::User { id, email: "alice@example.org".into() }, ..by(NOW) };
    let token = |name: &str| NewToken {
        name: name.into(),
        secret: Hashed::of(name),
        scopes: Scopes::of(&[Scope::Read]),
        ends_at: None,
    };
    inventory.add_token(&alice, OURS, &token("hers")).await.unwrap();
    inventory.add_token(&by(NOW), OURS, &token("the machine's")).await.unwrap();
    assert_eq!(inventory.token(&Hashed::of("hers"), NOW).await.unwrap().unwrap().user, Some(id));
    inventory.remove_user(&by(NOW), id).await.unwrap();
    assert!(inventory.token(&Hashed::of("hers"), NOW).await.unwrap().is_none());
    assert_eq!(inventory.token(&Hashed::of("the machine's"), NOW).await.unwrap().unwrap().user, None);
}

async fn each_tenant_reads_its_own_audit_log(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, second) = place.open_with_second_tenant().await;
    let record = async |tenant, act: &str| {
        let details = serde_json::json!({ "primaries": ["192.0.2.1:53"] });
        inventory.record_act(tenant, &by(NOW), act, "example.org.", details).await.unwrap();
    };
    record(Some(OURS), "first").await;
    record(Some(second), "theirs").await;
    record(None, "nobodys").await;
    record(Some(OURS), "last").await;
    let acts = async |of, before, limit| {
        let entries = inventory.audit(of, before, limit).await.unwrap();
        entries.into_iter().map(|entry| (entry.id, entry.act)).collect::<Vec<_>>()
    };
    let of = async |of| acts(of, None, 10).await.into_iter().map(|(_, act)| act).collect::<Vec<_>>();
    assert_eq!(of(AuditOf::Tenant(OURS)).await, ["last", "first"]);
    assert_eq!(of(AuditOf::Tenant(second)).await, ["theirs", "organisation.added"]);
    assert_eq!(of(AuditOf::TenantAndService(OURS)).await, ["last", "nobodys", "first"]);
    let newest = acts(AuditOf::Tenant(OURS), None, 1).await;
    assert_eq!(acts(AuditOf::Tenant(OURS), Some(newest[0].0), 1).await[0].1, "first");
    let entry = &inventory.audit(AuditOf::Tenant(second), None, 1).await.unwrap()[0];
    assert_eq!((entry.actor.as_str(), entry.address.as_deref(), entry.at), ("this machine", Some("192.0.2.7"), NOW));
    assert_eq!(entry.details["primaries"][0], "192.0.2.1:53");
}

async fn of_many_who_use_one_link_at_once_one_succeeds(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let link = Hashed::of("link");
    inventory.make_link(&Purpose::Operator, &link, NOW, later(DAY)).await.unwrap();
    let mut trying = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (inventory, link) = (inventory.clone(), link.clone());
        trying.spawn(async move {
            let email = format!("{number}@example.org");
            inventory.create_first_operator(&by(NOW), &link, &email, "$argon2id$").await.is_ok()
        });
    }
    let created = trying.join_all().await.into_iter().filter(|is_created| *is_created).count();
    assert_eq!((created, inventory.users().await.unwrap().len()), (1, 1));
}
