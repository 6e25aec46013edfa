//! The conformance suite of buses, on RabbitMQ.

use std::sync::Arc;

use async_trait::async_trait;
use rekey_broker::rabbitmq::RabbitBus;
use rekey_core::events::bus::{Bus, DeadLetter, Handler};
use rekey_testkit::{bus_conformance, conformance::bus::BusUnderTest};

use crate::stage::{Stage, header};

struct Rabbit {
    stage: Stage,
    bus: Arc<RabbitBus>,
}

#[async_trait]
impl BusUnderTest for Rabbit {
    async fn start(handler: Arc<dyn Handler>, concurrency: u16) -> Self {
        let mut stage = Stage::new().await;
        stage.consumer(handler, concurrency).await;
        let bus = stage.bus().await;
        Self { stage, bus }
    }

    fn bus(&self) -> &dyn Bus {
        &*self.bus
    }

    async fn parked(&self) -> Vec<DeadLetter> {
        let mut parked = Vec::new();
        while let Some(delivery) = self.stage.take(&self.stage.topology().dead()).await {
            let id = delivery.properties.message_id().clone().map(String::from);
            parked.push(DeadLetter { id, reason: header(&delivery, "x-rekey-reason") });
        }
        parked
    }

    async fn stop(self) {
        self.stage.strike().await;
    }
}

bus_conformance!(Rabbit);
