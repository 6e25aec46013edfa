//! A model test of the ports that carry a reset from the request to the mail: random steps of requests, relays, mailers and people, with a
//! crash between any two calls. Each answer of the store is compared with a simple reference in memory, and in the end every reset that was
//! accepted must be mailed, or have a reason not to be.

mod reference;
mod steps;
mod world;

use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Builder;

use self::{steps::step, world::World};
use crate::{conformance::stores::StoreUnderTest, seed};

/// The most steps of a case.
const STEPS: usize = 30;

/// Tests that many random sequences of steps, on one database. A failure shows the shortest sequence that fails.
pub fn run<F: StoreUnderTest + 'static>(cases: u32) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (fixture, scope) = runtime.block_on(async {
        let fixture = F::start().await;
        let scope = seed::scope(fixture.store(), "shop").await;
        (fixture, scope)
    });
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let tested = TestRunner::new(config).run(&vec(step(), 1..STEPS), |steps| {
        runtime.block_on(async {
            let mut world = World::new(&fixture, scope).await;
            for step in steps {
                world.take(step).await?;
            }
            world.settle().await
        })
    });
    if let Err(failure) = tested {
        panic!("{failure}");
    }
}
