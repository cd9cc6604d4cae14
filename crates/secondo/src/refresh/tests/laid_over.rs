//! Changes of large zones, which are laid over their images: in memory, on disk, and after a restart.

use zone::Digest;

use super::*;
use crate::upkeep::keep_up;

/// As if every zone were large.
async fn all_are_large(mut scene: Scene) -> Scene {
    let node = Arc::get_mut(&mut scene.node).expect("nobody else has it yet");
    node.contents_limits = zone::Limits { rebuilt_octets_max: 0, changes_min: 20, ..zone::Limits::default() };
    scene
}

async fn step_to(scene: &Scene, serial: u32, more: &str) {
    scene.primary.publish("example.", &text(serial, more));
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Ixfr, Ok(Refreshed::Published)));
}

fn served(scene: &Scene) -> (u32, Digest, bool) {
    let image = scene.zone().snapshot().unwrap().image.clone();
    (image.serial().0, image.digest(), image.is_merged())
}

/// What the zone would be if it had come whole.
async fn whole(serial: u32, more: &str) -> Digest {
    let other = Scene::new().await;
    other.primary.publish("example.", &text(serial, more));
    assert_eq!(other.follow().await.kind, Kind::Axfr);
    served(&other).1
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_large_zone_are_there_after_a_restart_and_lead_on() {
    let scene = all_are_large(Scene::new().await).await;
    scene.follow().await;
    step_to(&scene, 2, "new 60 A 192.0.2.2\n").await;
    let third = "new 60 A 192.0.2.3\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.4\n";
    step_to(&scene, 3, third).await;
    let (serial, digest, is_merged) = served(&scene);
    assert_eq!((serial, is_merged, digest), (3, false, whole(3, third).await));
    let history = scene.node.store.history(ZONE).unwrap();
    assert_eq!(history.len(), 3, "every version is kept");

    let scene = all_are_large(scene.restarted(Moment(0)).await).await;
    assert_eq!(served(&scene).1, digest);
    step_to(&scene, 4, "new 60 A 192.0.2.3\n").await;
    assert_eq!(served(&scene).1, whole(4, "new 60 A 192.0.2.3\n").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_built_anew_beside_the_changes_and_nothing_of_what_is_served_is_other_than_before() {
    let scene = all_are_large(Scene::new().await).await;
    scene.follow().await;
    step_to(&scene, 2, &records(15)).await;
    let (before, generation) = (served(&scene), scene.generation());
    assert!(!before.2);
    keep_up(&scene.node, &scene.zone()).await;
    assert_eq!((served(&scene), scene.generation()), ((before.0, before.1, true), generation));

    // What comes next lies over the new image, also on disk.
    step_to(&scene, 3, &records(14)).await;
    let digest = served(&scene).1;
    assert_eq!(digest, whole(3, &records(14)).await);
    let scene = all_are_large(scene.restarted(Moment(0)).await).await;
    assert_eq!((served(&scene).0, served(&scene).1), (3, digest));
    let history = scene.node.store.history(ZONE).unwrap();
    assert_eq!(history.len(), 3, "every version is kept");
}
