//! Organisations, on real databases: how people come to them and leave, and what is left when one is removed.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    Actor, AddKeyError, AuditOf, By, Hashed, Inventory, InventoryError, NewInvitation, NewToken, NewUser, Purpose,
    Role, Scope, Scopes, Sent, Standing, TenantError, TenantId, UserError, UserId,
};
use place::{BY, Engine, NOW, Place, count_zones, key, name, open, zone};
use xfr::Moment;

on_both_engines!(
    whoever_signs_up_has_an_organisation_of_their_own,
    a_link_for_signing_up_makes_no_second_user_of_one_address,
    an_invitation_is_for_one_address_and_counts_once,
    an_invitation_can_be_withdrawn_and_goes_with_who_made_it,
    another_address_is_had_by_a_link_and_ends_those_of_the_one_before,
    a_link_that_came_by_mail_shows_that_the_address_is_read,
    organisations_are_listed_found_and_renamed,
    a_removed_organisation_leaves_nothing_but_what_is_to_be_deleted,
    the_default_organisation_stays_and_no_number_is_given_twice,
    what_comes_for_an_organisation_that_has_just_gone_is_overtaken,
    who_leaves_takes_their_tokens_along,
    each_organisation_has_its_own_zones_page_by_page,
    a_browser_is_known_for_one_address_until_the_password_changes,
);

const OURS: TenantId = TenantId::DEFAULT;
const DAY: u64 = 24 * 3_600_000;

fn by(actor: Actor) -> By {
    By { actor, address: Some([192, 0, 2, 7].into()), at: NOW }
}

fn machine() -> By {
    by(Actor::Machine)
}

fn later(ms: u64) -> Moment {
    Moment(NOW.0 + ms)
}

fn user(email: &str) -> NewUser {
    NewUser { email: email.into(), password: "$argon2id$".into(), standing: Standing::User }
}

async fn sign_up(inventory: &Inventory, email: &str, secret: &str) -> Result<(UserId, TenantId), UserError> {
    let organisation = format!("{email}'s");
    let purpose = Purpose::SignUp { email: email.into(), password: "$theirs$".into(), organisation };
    inventory.make_link(&purpose, &Hashed::of(secret), NOW, later(DAY)).await.unwrap();
    inventory.sign_up(&by(Actor::Newcomer(email.into())), &Hashed::of(secret)).await
}

fn invitation(email: &str, secret: &str) -> NewInvitation {
    let (secret, ends_at) = (Hashed::of(secret), later(DAY));
    NewInvitation { email: email.into(), role: Role::Editor, secret, ends_at, sent: Sent::ByMail }
}

async fn acts(inventory: &Inventory, of: AuditOf) -> Vec<(String, String)> {
    let entries = inventory.audit(of, None, 100).await.unwrap();
    entries.into_iter().map(|entry| (entry.act, entry.actor)).collect()
}

async fn whoever_signs_up_has_an_organisation_of_their_own(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let (id, tenant) = sign_up(&inventory, "Alice@example.org", "link").await.unwrap();
    assert_ne!(tenant, OURS);
    let alice = inventory.user(id).await.unwrap().unwrap();
    assert_eq!((alice.email.as_str(), alice.password.as_str()), ("Alice@example.org", "$theirs$"));
    assert_eq!((alice.verified_at, alice.standing), (Some(NOW), Standing::User));
    let memberships = inventory.memberships(id).await.unwrap();
    assert_eq!(memberships.len(), 1);
    assert_eq!((memberships[0].tenant, memberships[0].role), (tenant, Role::Owner));
    assert_eq!(memberships[0].name, "Alice@example.org's");
    let again = inventory.sign_up(&machine(), &Hashed::of("link")).await;
    assert!(matches!(again, Err(UserError::LinkUsed)));
    let acts = acts(&inventory, AuditOf::Tenant(tenant)).await;
    let by_alice = |act: &str| (act.to_owned(), "Alice@example.org".to_owned());
    assert_eq!(acts, [by_alice("member.joined"), by_alice("organisation.added")]);
}

async fn a_link_for_signing_up_makes_no_second_user_of_one_address(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    // Somebody else has asked for the same address, with a password of theirs: the first link that is used ends it.
    let theirs = Purpose::SignUp {
        email: "ALICE@example.org".into(),
        password: "$somebody else's$".into(),
        organisation: "x".into(),
    };
    inventory.make_link(&theirs, &Hashed::of("theirs"), NOW, later(DAY)).await.unwrap();
    let (id, _) = sign_up(&inventory, "alice@example.org", "hers").await.unwrap();
    assert_eq!(inventory.link(&Hashed::of("theirs"), NOW).await.unwrap(), None);
    let again = sign_up(&inventory, "alice@EXAMPLE.org", "again").await;
    assert!(matches!(again, Err(UserError::ExistsAlready(_))));
    assert_eq!(inventory.users().await.unwrap().len(), 1);
    assert_eq!(inventory.tenants("", None, 10).await.unwrap().len(), 2, "nor is an organisation left of it");
    assert_eq!(inventory.user(id).await.unwrap().unwrap().password, "$theirs$");
}

async fn an_invitation_is_for_one_address_and_counts_once(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let owner = inventory.add_member(&machine(), OURS, &user("owner@example.org"), Role::Owner).await.unwrap();
    let owner = by(Actor::User { id: owner, email: "owner@example.org".into() });
    let (alice, _) = sign_up(&inventory, "alice@example.org", "up").await.unwrap();
    let (bob, _) = sign_up(&inventory, "bob@example.org", "up").await.unwrap();
    inventory.invite(&owner, OURS, &invitation("Alice@example.org", "first")).await.unwrap();
    inventory.invite(&owner, OURS, &invitation("alice@example.org", "second")).await.unwrap();
    let waiting = inventory.invitations(OURS, NOW).await.unwrap();
    assert_eq!(waiting.len(), 1, "one takes the place of the other");
    assert_eq!((waiting[0].role, waiting[0].made_by.as_str()), (Role::Editor, "owner@example.org"));
    let accept = async |secret: &str, user| inventory.accept_invitation(&machine(), &Hashed::of(secret), user).await;
    assert!(matches!(accept("first", alice).await, Err(UserError::LinkUsed)));
    assert!(matches!(accept("second", bob).await, Err(UserError::InvitedAnother(_))));
    let over = By { at: later(DAY), ..machine() };
    let late = inventory.accept_invitation(&over, &Hashed::of("second"), alice).await;
    assert!(matches!(late, Err(UserError::LinkUsed)), "its time is over");
    // Who was turned away has not used it up.
    assert_eq!(accept("second", alice).await.unwrap(), OURS);
    assert!(matches!(accept("second", alice).await, Err(UserError::LinkUsed)));
    assert!(inventory.invitations(OURS, NOW).await.unwrap().is_empty());
    let roles: Vec<_> = inventory.memberships(alice).await.unwrap().into_iter().map(|one| one.role).collect();
    assert_eq!(roles, [Role::Owner, Role::Editor]);
    let twice = inventory.invite(&owner, OURS, &invitation("ALICE@example.org", "third")).await;
    assert!(matches!(twice, Err(UserError::MemberAlready(_))));
    // Somebody who is nobody's user yet becomes one.
    inventory.invite(&owner, OURS, &invitation("new@example.org", "new")).await.unwrap();
    let (new, tenant) = inventory.join(&machine(), &Hashed::of("new"), "$chosen$").await.unwrap();
    let user = inventory.user(new).await.unwrap().unwrap();
    assert_eq!((tenant, user.password.as_str(), user.verified_at), (OURS, "$chosen$", Some(NOW)));
}

async fn an_invitation_can_be_withdrawn_and_goes_with_who_made_it(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, second) = place.open_with_second_tenant().await;
    let one = inventory.add_member(&machine(), OURS, &user("one@example.org"), Role::Owner).await.unwrap();
    let two = inventory.add_member(&machine(), OURS, &user("two@example.org"), Role::Owner).await.unwrap();
    let by_two = by(Actor::User { id: two, email: "two@example.org".into() });
    inventory.invite(&machine(), OURS, &invitation("a@example.org", "a")).await.unwrap();
    let withdraw = async |tenant, email: &str| inventory.withdraw_invitation(&machine(), tenant, email).await;
    assert!(matches!(withdraw(second, "a@example.org").await, Err(UserError::NotInvited(_))));
    withdraw(OURS, "A@example.org").await.unwrap();
    let join = async |secret: &str| inventory.join(&machine(), &Hashed::of(secret), "$x$").await;
    assert!(matches!(join("a").await, Err(UserError::LinkUsed)));
    inventory.invite(&by_two, OURS, &invitation("b@example.org", "b")).await.unwrap();
    // Another password of theirs is no reason.
    inventory.set_password(&machine(), two, "$other$", None).await.unwrap();
    assert_eq!(inventory.invitations(OURS, NOW).await.unwrap().len(), 1);
    inventory.set_role(&machine(), OURS, two, Role::Editor).await.unwrap();
    assert!(matches!(join("b").await, Err(UserError::LinkUsed)));
    assert!(matches!(inventory.remove_member(&machine(), OURS, one).await, Err(UserError::LastOwner { .. })));
}

async fn another_address_is_had_by_a_link_and_ends_those_of_the_one_before(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&machine(), &user("old@example.org")).await.unwrap();
    let other = inventory.add_user(&machine(), &user("other@example.org")).await.unwrap();
    let link = async |user, email: &str, secret: &str| {
        let purpose = Purpose::Email { user, email: email.into() };
        inventory.make_link(&purpose, &Hashed::of(secret), NOW, later(DAY)).await.unwrap();
    };
    let change = async |secret: &str| inventory.change_email(&machine(), &Hashed::of(secret)).await;
    inventory.make_link(&Purpose::password(id), &Hashed::of("password"), NOW, later(DAY)).await.unwrap();
    link(id, "first@example.org", "first").await;
    link(id, "New@example.org", "second").await;
    assert!(matches!(change("first").await, Err(UserError::LinkUsed)), "another one took its place");
    assert_eq!(change("second").await.unwrap(), (id, "old@example.org".to_owned()));
    assert_eq!(inventory.user_by_email("new@example.org").await.unwrap().unwrap().id, id);
    assert_eq!(inventory.user_by_email("old@example.org").await.unwrap(), None);
    assert_eq!(inventory.link(&Hashed::of("password"), NOW).await.unwrap(), None);
    // Not one that is somebody's.
    link(other, "NEW@example.org", "third").await;
    assert!(matches!(change("third").await, Err(UserError::ExistsAlready(_))));
    // Whoever has another password meanwhile has ended it.
    link(other, "else@example.org", "fourth").await;
    inventory.set_password(&machine(), other, "$x$", None).await.unwrap();
    assert!(matches!(change("fourth").await, Err(UserError::LinkUsed)));
}

async fn a_link_that_came_by_mail_shows_that_the_address_is_read(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    for (email, sent, verified) in [("a@example.org", Sent::ByHand, None), ("b@example.org", Sent::ByMail, Some(NOW))]
    {
        let user = inventory.add_user(&machine(), &user(email)).await.unwrap();
        let (purpose, secret) = (Purpose::Password { user, sent }, Hashed::of(email));
        inventory.make_link(&purpose, &secret, NOW, later(DAY)).await.unwrap();
        inventory.reset_password(&machine(), &secret, user, "$x$").await.unwrap();
        assert_eq!(inventory.user(user).await.unwrap().unwrap().verified_at, verified, "{sent:?}");
    }
}

async fn organisations_are_listed_found_and_renamed(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    for text in ["Müller & Söhne", "100% DNS", "a_b", "Müller & Söhne"] {
        inventory.add_tenant(&machine(), text).await.unwrap();
    }
    let found = async |text: &str, after, limit| {
        let found = inventory.tenants(text, after, limit).await.unwrap();
        found.into_iter().map(|tenant| tenant.name).collect::<Vec<_>>()
    };
    assert_eq!(found("", None, 3).await, ["default", "Müller & Söhne", "100% DNS"]);
    let third = inventory.tenants("", None, 3).await.unwrap()[2].id;
    assert_eq!(found("", Some(third), 9).await, ["a_b", "Müller & Söhne"]);
    assert_eq!(found("dns", None, 9).await, ["100% DNS"]);
    assert_eq!(
        [found("%", None, 9).await.len(), found("_", None, 9).await.len()],
        [1, 1],
        "they stand for themselves"
    );
    assert!(found("\\", None, 9).await.is_empty());
    inventory.rename_tenant(&machine(), third, "99% DNS").await.unwrap();
    let renamed = inventory.tenant(third).await.unwrap().unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.created_at, renamed.members, renamed.zones),
        ("99% DNS", Some(NOW), 0, 0)
    );
    assert_eq!(inventory.tenant(OURS).await.unwrap().unwrap().created_at, None);
    let unknown = inventory.rename_tenant(&machine(), TenantId(99), "x").await;
    assert!(matches!(unknown, Err(TenantError::Unknown)));
}

async fn a_removed_organisation_leaves_nothing_but_what_is_to_be_deleted(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let (alice, hers) = sign_up(&inventory, "alice@example.org", "up").await.unwrap();
    let (bob, his) = sign_up(&inventory, "bob@example.org", "up").await.unwrap();
    inventory.set_role(&machine(), hers, bob, Role::Viewer).await.unwrap();
    let operator = NewUser { standing: Standing::Operator, ..user("operator@example.org") };
    let operator = inventory.add_member(&machine(), hers, &operator, Role::Owner).await.unwrap();
    inventory.add_key(&BY, hers, &key("k.example.")).await.unwrap();
    let of_hers = inventory.add_zone(&BY, hers, &zone("a.example.", &["192.0.2.1:53"])).await.unwrap();
    let of_his = inventory.add_zone(&BY, his, &zone("b.example.", &["192.0.2.1:53"])).await.unwrap();
    inventory.invite(&machine(), hers, &invitation("c@example.org", "c")).await.unwrap();
    let token =
        NewToken { name: "t".into(), secret: Hashed::of("token"), scopes: Scopes::of(&[Scope::Read]), ends_at: None };
    inventory.add_token(&machine(), hers, &token).await.unwrap();
    let mut changes = inventory.changes();
    changes.mark_unchanged();
    assert_eq!(inventory.remove_tenant(&machine(), hers).await.unwrap(), 1);
    assert!(changes.has_changed().unwrap(), "reconcile is woken");
    let intent = inventory.intent().await.unwrap();
    assert_eq!(intent.removed.iter().collect::<Vec<_>>(), [&of_hers], "what is to be deleted stands there");
    assert_eq!(intent.zones.iter().map(|zone| zone.id).collect::<Vec<_>>(), [of_his]);
    assert!(intent.keys.is_empty());
    assert_eq!(inventory.user(alice).await.unwrap(), None, "who belongs nowhere else goes");
    assert!(inventory.user(operator).await.unwrap().is_some(), "who runs the service stays");
    assert_eq!(inventory.memberships(bob).await.unwrap().len(), 1, "who belongs elsewhere stays");
    assert!(inventory.token(&Hashed::of("token"), NOW).await.unwrap().is_none());
    assert_eq!(inventory.link(&Hashed::of("c"), NOW).await.unwrap(), None);
    assert!(inventory.audit(AuditOf::Tenant(hers), None, 10).await.unwrap().is_empty());
    let service = acts(&inventory, AuditOf::TenantAndService(OURS)).await;
    assert_eq!(service[0].0, "organisation.removed", "that it was there, and who removed it, is known");
    // Its name is anybody's again.
    inventory.add_zone(&BY, his, &zone("a.example.", &["192.0.2.1:53"])).await.unwrap();
    assert!(matches!(inventory.remove_tenant(&machine(), hers).await, Err(TenantError::Unknown)));
}

async fn the_default_organisation_stays_and_no_number_is_given_twice(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    inventory.add_zone(&BY, OURS, &zone("a.example.", &["192.0.2.1:53"])).await.unwrap();
    assert!(matches!(inventory.remove_tenant(&machine(), OURS).await, Err(TenantError::Default)));
    assert_eq!(count_zones(&inventory, OURS).await, 1);
    let first = inventory.add_tenant(&machine(), "first").await.unwrap();
    inventory.remove_tenant(&machine(), first).await.unwrap();
    let second = inventory.add_tenant(&machine(), "second").await.unwrap();
    assert!(second > first, "{second:?} after {first:?}");
}

async fn who_leaves_takes_their_tokens_along(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_member(&machine(), OURS, &user("a@example.org"), Role::Editor).await.unwrap();
    let theirs = by(Actor::User { id, email: "a@example.org".into() });
    let token = |name: &str| NewToken {
        name: name.into(),
        secret: Hashed::of(name),
        scopes: Scopes::of(&[Scope::Read]),
        ends_at: None,
    };
    inventory.add_token(&theirs, OURS, &token("theirs")).await.unwrap();
    inventory.add_token(&machine(), OURS, &token("another")).await.unwrap();
    inventory.remove_member(&theirs, OURS, id).await.unwrap();
    let left: Vec<_> = inventory.tokens(OURS).await.unwrap().into_iter().map(|token| token.name).collect();
    assert_eq!(left, ["another"]);
    assert!(inventory.user(id).await.unwrap().is_some(), "they may belong elsewhere some day");
}

async fn each_organisation_has_its_own_zones_page_by_page(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, second) = place.open_with_second_tenant().await;
    for (tenant, text) in [(OURS, "a.example."), (second, "b.example."), (OURS, "c.example.")] {
        inventory.add_zone(&BY, tenant, &zone(text, &["192.0.2.1:53", "192.0.2.2:53"])).await.unwrap();
    }
    let first = inventory.zones_of_tenant(OURS, None, 1).await.unwrap();
    assert_eq!((first[0].name.clone(), first[0].primaries.len()), (name("a.example."), 2));
    let rest = inventory.zones_of_tenant(OURS, Some(first[0].id), 10).await.unwrap();
    assert_eq!(rest.iter().map(|zone| zone.name.clone()).collect::<Vec<_>>(), [name("c.example.")]);
    assert_eq!(inventory.zones_of_tenant(second, None, 10).await.unwrap().len(), 1);
}

async fn a_browser_is_known_for_one_address_until_the_password_changes(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_user(&machine(), &user("a@example.org")).await.unwrap();
    inventory.add_user(&machine(), &user("b@example.org")).await.unwrap();
    let device = Hashed::of("device");
    let is_known = async |email: &str, at| inventory.is_known_device(email, &device, at).await.unwrap();
    assert!(!is_known("a@example.org", NOW).await);
    inventory.remember_device(id, &device, NOW).await.unwrap();
    assert!(is_known("A@example.org", NOW).await && !is_known("b@example.org", NOW).await);
    assert!(!is_known("a@example.org", later(180 * DAY)).await);
    inventory.set_password(&machine(), id, "$x$", None).await.unwrap();
    assert!(!is_known("a@example.org", NOW).await);
    for number in 0..25 {
        inventory.remember_device(id, &Hashed::of(&number.to_string()), later(number)).await.unwrap();
    }
    let known = async |number: u64| {
        inventory.is_known_device("a@example.org", &Hashed::of(&number.to_string()), later(30)).await.unwrap()
    };
    assert!(!known(4).await && known(5).await, "so many, and the oldest go");
}

/// Whoever has asked was let in while it was there.
async fn what_comes_for_an_organisation_that_has_just_gone_is_overtaken(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    inventory.remove_tenant(&machine(), theirs).await.unwrap();
    let error = inventory.add_key(&BY, theirs, &key("k.example")).await.unwrap_err();
    assert!(matches!(error, AddKeyError::Inventory(InventoryError::Overtaken)), "{error}");
    assert!(error.to_string().contains("was removed at the same moment: nothing was done"), "{error}");
    assert!(inventory.list_keys(theirs).await.unwrap().is_empty());
}
