//! Requests that may be sent again, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{BegunRequest, TenantId};
use place::{Engine, NOW, Place};
use xfr::Moment;

on_both_engines!(a_request_is_known_again_for_a_day_by_its_tenant_alone,);

const THEIRS: TenantId = TenantId(2);
const DAY_MS: u64 = 24 * 3600 * 1000;

async fn a_request_is_known_again_for_a_day_by_its_tenant_alone(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let ours = TenantId::DEFAULT;
    let begin = async |tenant, at| inventory.begin_request(tenant, "id", "sent", at).await.unwrap();
    assert_eq!(begin(ours, NOW).await, BegunRequest::First);
    let before = |answer| BegunRequest::Before { sent: "sent".into(), begun_at: NOW, answer };
    assert_eq!(begin(ours, NOW).await, before(None));
    assert_eq!(begin(THEIRS, NOW).await, BegunRequest::First, "theirs is another one");
    inventory.answer_request(ours, "id", "sealed").await.unwrap();
    assert_eq!(begin(ours, Moment(NOW.0 + DAY_MS - 1)).await, before(Some("sealed".into())));
    assert_eq!(begin(THEIRS, NOW).await, before(None));
    inventory.forget_request(ours, "id").await.unwrap();
    assert_eq!(begin(ours, NOW).await, BegunRequest::First);
    assert_eq!(begin(ours, Moment(NOW.0 + DAY_MS)).await, BegunRequest::First, "a day has passed");
}
