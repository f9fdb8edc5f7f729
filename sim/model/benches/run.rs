//! How fast runs are: whole runs of one load, and the queue alone. Compare ratios within one
//! sitting; machines are noisy.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rebound_engine::{Queue, Time};
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::{Runner, scenario};

/// 200 clients, ten virtual seconds, no trace; the throughput is events.
fn two_hundred_clients(criterion: &mut Criterion) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/two-hundred-clients.json");
    let plan = scenario::load(&file).unwrap_or_else(|error| panic!("{error}"));
    let behaviour = Behaviour::named("8.0.1").expect("a known behaviour");
    let mut runner = Runner::new(Arc::new(plan), behaviour);
    let events = runner.run(0, &mut NoTrace).events;
    let mut group = criterion.benchmark_group("run");
    group
        .throughput(Throughput::Elements(events))
        .sample_size(20);
    group.bench_function("two hundred clients", |bench| {
        bench.iter(|| black_box(runner.run(0, &mut NoTrace)));
    });
    group.finish();
}

/// Pop one, push one, with a run's mixture of near and far.
fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(1_000));
    for pending in [16_u64, 256, 4_096] {
        group.bench_function(format!("hold {pending}"), |bench| {
            let mut queue = Queue::default();
            let mut raw = 1_u64;
            let mut delay = move || {
                raw = raw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let far = raw >> 60 == 0;
                if far {
                    1_000_000_000 + (raw >> 34)
                } else {
                    100_000 + (raw >> 44)
                }
            };
            for event in 0..pending {
                queue.push(Time(delay()), 0, event);
            }
            bench.iter(|| {
                for _ in 0..1_000 {
                    let Some((at, event)) = queue.pop() else {
                        return;
                    };
                    queue.push(Time(at.0 + delay()), 0, event);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, two_hundred_clients, queue);
criterion_main!(benches);
