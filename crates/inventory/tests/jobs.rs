//! Jobs, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{EndedJob, JOBS_KEPT_MS, JOBS_MAX, TenantId};
use place::{Engine, NOW, Place};
use xfr::Moment;

on_both_engines!(a_job_is_its_tenants_alone_and_says_how_it_ended, so_many_jobs_are_kept_and_for_so_long,);

const OURS: TenantId = TenantId::DEFAULT;
const THEIRS: TenantId = TenantId(2);

async fn a_job_is_its_tenants_alone_and_says_how_it_ended(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let id = inventory.add_job(OURS, "POST /doctor", NOW).await.unwrap();
    let begun = inventory.job(OURS, id).await.unwrap().unwrap();
    assert_eq!((begun.operation.as_str(), begun.created_at, &begun.ended), ("POST /doctor", NOW, &None));
    let ended = EndedJob { at: Moment(NOW.0 + 5), status: 200, answer: Some("{}".into()) };
    // Nobody else ends it, nor sees it.
    inventory.end_job(THEIRS, id, &ended).await.unwrap();
    assert_eq!(inventory.job(OURS, id).await.unwrap(), Some(begun));
    assert_eq!(inventory.job(THEIRS, id).await.unwrap(), None);
    inventory.end_job(OURS, id, &ended).await.unwrap();
    assert_eq!(inventory.job(OURS, id).await.unwrap().unwrap().ended, Some(ended.clone()));
    // A list has not what each was answered.
    let listed = inventory.jobs(OURS, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
    assert_eq!(listed[0].ended, Some(EndedJob { answer: None, ..ended }));
    assert_eq!(inventory.jobs(THEIRS, None, 10).await.unwrap(), []);
}

async fn so_many_jobs_are_kept_and_for_so_long(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let theirs = inventory.add_job(THEIRS, "POST /doctor", NOW).await.unwrap();
    let ended = EndedJob { at: NOW, status: 200, answer: None };
    let under_way = inventory.add_job(OURS, "POST /doctor", NOW).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..JOBS_MAX + 2 {
        let id = inventory.add_job(OURS, "POST /doctor", NOW).await.unwrap();
        inventory.end_job(OURS, id, &ended).await.unwrap();
        ids.push(id);
    }
    assert_eq!(inventory.job(OURS, ids[0]).await.unwrap(), None, "the oldest that has ended goes");
    let kept: Vec<u64> = ids[1..].iter().rev().copied().chain([under_way]).collect();
    let all = inventory.jobs(OURS, None, JOBS_MAX + 10).await.unwrap();
    assert_eq!(all.iter().map(|job| job.id).collect::<Vec<_>>(), kept);
    let page = inventory.jobs(OURS, Some(ids[5]), 2).await.unwrap();
    assert_eq!(page.iter().map(|job| job.id).collect::<Vec<_>>(), [ids[4], ids[3]]);
    assert!(inventory.job(THEIRS, theirs).await.unwrap().is_some(), "each has so many");
    let later = Moment(NOW.0 + JOBS_KEPT_MS);
    let new = inventory.add_job(OURS, "POST /doctor", later).await.unwrap();
    assert_eq!(inventory.jobs(OURS, None, 10).await.unwrap().len(), 1);
    assert!(inventory.job(OURS, new).await.unwrap().is_some());
    assert_eq!(inventory.job(THEIRS, theirs).await.unwrap(), None, "its time is over");
}
