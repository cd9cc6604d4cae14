//! What was asked, with real sockets and a real database: it is in one place, whatever fails.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::doors::QuerySpan;
use inventory::{By, Inventory, Location, NewZone, UsageOf};
use server::{Limits, Running};
use tokio::sync::mpsc;
use xfr::{Moment, Policy, Primary};
use zone::{TenantId, ZoneId};

use super::{Gather, Statistics};
use crate::node::Node;

const OURS: TenantId = TenantId::DEFAULT;

struct Scene {
    node: Arc<Node>,
    running: Running,
    statistics: Arc<Statistics>,
    zone: ZoneId,
}

async fn inventory(directory: &Path) -> Inventory {
    Inventory::open(&Location::File(directory.join("inventory.db"))).await.unwrap()
}

impl Scene {
    /// A node that answers for one zone, which has no contents yet: that counts all the same.
    async fn on(directory: &Path) -> Self {
        let inventory = inventory(directory).await;
        let name: dns::Name = "example.".parse().unwrap();
        let primaries = vec![Primary::at(([127, 0, 0, 1], 1).into())];
        let zone = inventory
            .add_zone(&By::machine(Moment(0)), OURS, &NewZone::answering(name.clone(), primaries))
            .await
            .unwrap();
        inventory.close().await;
        let node = Node::of_tests(directory).await;
        node.follow(Arc::new(node.fresh(zone, OURS, name, &Policy::default().bounds)));
        node.publish_table();
        let sockets = server::bind(&["127.0.0.1:0".parse().unwrap()], 1).unwrap();
        let (notifying, _) = mpsc::channel(1);
        let running = server::serve(sockets, node.shared.clone(), notifying, Limits::default()).unwrap();
        let statistics = Arc::new(Statistics::new(running.queries().clone(), node.clock.now()));
        Self { node, running, statistics, zone }
    }

    fn ask(&self, times: usize) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.running.addresses()[0]).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for _ in 0..times {
            socket.send(b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x07example\0\0\x0f\0\x01").unwrap();
            socket.recv(&mut [0; 512]).unwrap();
        }
    }

    async fn write(&self) {
        self.statistics.write(&self.node).await;
    }

    /// What is shown of the zone and to its tenant.
    async fn shown(&self, inventory: &Inventory) -> (u64, u64) {
        // Also what came a moment after somebody else has looked.
        self.statistics.gather(&self.node, Gather::Now).await;
        let zone = self.node.zone(self.zone).unwrap();
        let queries = self.statistics.of_zone(&self.node, inventory, &zone, QuerySpan::DAY).await.unwrap();
        assert_eq!(queries.sum.by_type.mx, queries.sum.total);
        let usage = self.statistics.usage(&self.node, inventory, UsageOf::Tenant(OURS), None).await.unwrap();
        (queries.sum.total, usage.organisations[0].queries)
    }
}

async fn written(inventory: &Inventory, zone: ZoneId) -> u64 {
    let hours = inventory.queries_by_hour(OURS, zone, inventory::Hour(0)).await.unwrap();
    hours.iter().map(|(_, counts)| counts.total()).sum()
}

#[tokio::test]
async fn what_cannot_be_written_waits_and_is_there_once_when_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene::on(directory.path()).await;
    scene.ask(3);
    // Nobody to write it to.
    scene.write().await;
    let closed = inventory(directory.path()).await;
    closed.close().await;
    scene.node.inventory.store(Some(Arc::new(closed)));
    scene.ask(2);
    scene.write().await;
    scene.write().await;
    let open = inventory(directory.path()).await;
    assert_eq!(written(&open, scene.zone).await, 0);
    assert_eq!(scene.shown(&open).await, (5, 5), "what waits is shown");
    scene.node.inventory.store(Some(Arc::new(open.clone())));
    scene.write().await;
    scene.ask(1);
    assert_eq!((written(&open, scene.zone).await, scene.shown(&open).await), (5, (6, 6)));
    for _ in 0..2 {
        scene.write().await;
        assert_eq!((written(&open, scene.zone).await, scene.shown(&open).await), (6, (6, 6)));
    }
    assert_eq!(scene.statistics.lost(), 0);
    scene.running.stop().await;
}

#[tokio::test]
async fn everything_is_written_at_each_full_minute() {
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene::on(directory.path()).await;
    let open = inventory(directory.path()).await;
    scene.node.inventory.store(Some(Arc::new(open.clone())));
    tokio::time::pause();
    scene.ask(4);
    let task = tokio::spawn(super::keep_record(scene.node.clone(), scene.statistics.clone()));
    tokio::task::yield_now().await;
    tokio::time::advance(super::WRITTEN_EVERY).await;
    tokio::time::resume();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while written(&open, scene.zone).await < 4 {
        assert!(std::time::Instant::now() < deadline, "nothing is written");
        tokio::task::yield_now().await;
    }
    task.abort();
    scene.running.stop().await;
}
