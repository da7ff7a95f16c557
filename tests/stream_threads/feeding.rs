//! Feeding from odd places.

use std::sync::Mutex;

use etweir::stream::{AddError, BufferId};

use super::*;

#[test]
fn c07_with_a_bounded_queue_feeding_inside_every_callback_waits_for_nothing() {
    // One round trip for each place: an event, a buffer, a completion.
    let full = Arc::new(AtomicU64::new(0));
    let added = Arc::new(AtomicU64::new(0));
    let handle = Arc::new(Mutex::new(None::<Feeder<Vec<u8>>>));
    let next = Arc::new(AtomicU64::new(10));
    let feed = {
        let (full, added) = (Arc::clone(&full), Arc::clone(&added));
        move |handle: &Mutex<Option<Feeder<Vec<u8>>>>, next: &AtomicU64| {
            let Some(feeder) = handle.lock().expect("no panic").clone() else { return };
            let flush = i64::try_from(next.fetch_add(1, Ordering::Relaxed)).expect("small") * 10;
            match feeder.add(buffer(0, flush)) {
                Ok(_) => _ = added.fetch_add(1, Ordering::Relaxed),
                Err(error) if error.code() == 1816 => _ = full.fetch_add(1, Ordering::Relaxed),
                Err(error) => assert_eq!(error.code(), 6, "{error}"),
            }
            if added.load(Ordering::Relaxed) >= 100 {
                feeder.finish();
            }
        }
    };
    let (in_event, in_buffer, in_completion) = (feed.clone(), feed.clone(), feed);
    let (h1, h2, n1, n2) = (Arc::clone(&handle), Arc::clone(&handle), Arc::clone(&next), Arc::clone(&next));
    let context = (Arc::clone(&handle), next);
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |_, _| {
            in_event(&h1, &n1);
            GO_ON
        })
        .on_buffer(move |_| {
            in_buffer(&h2, &n2);
            GO_ON
        })
        .on_complete(context, move |_: Done, (handle, next)| in_completion(handle, next))
        .queued_buffers(2)
        .build();
    feeder.add(header(1)).expect("accepted");
    *handle.lock().expect("no panic") = Some(feeder);
    let summary = processor.run().expect("processed");
    assert_eq!(summary.outcome, Outcome::Finished);
    let added = added.load(Ordering::Relaxed);
    assert!(added >= 100 && full.load(Ordering::Relaxed) > 0);
    assert_eq!(summary.stats.buffers_retired, added + 1);
}

#[test]
fn c14_sessions_in_a_chain_with_queues_of_one_buffer_deliver_the_same() {
    const BUFFERS: i64 = 200;
    let (first, processor) =
        etweir::stream(Options::default()).on_event(|_, _| GO_ON).queued_buffers(1).build();
    // Each session feeds the one before; the last one built is fed here.
    let mut running = vec![thread::spawn(move || processor.run().expect("processed").stats)];
    let mut feeder = first;
    for _ in 0..3 {
        let next = feeder;
        let (entry, processor) = etweir::stream(Options::default())
            .on_event(|_, _| GO_ON)
            .on_buffer(move |buffer| {
                add_in_time(&next, buffer.bytes().to_vec()).expect("what one hands out, the next takes");
                GO_ON
            })
            .queued_buffers(1)
            .build();
        running.push(thread::spawn(move || processor.run().expect("processed").stats));
        feeder = entry;
    }
    add_in_time(&feeder, header(2)).expect("accepted");
    for number in 1..=BUFFERS {
        let processor = u16::try_from(number % 2).expect("small");
        add_in_time(&feeder, buffer(processor, number * 10)).expect("accepted");
    }
    drop(feeder);
    for session in running {
        let stats = session.join().expect("no panic");
        assert_eq!((stats.events_delivered, stats.events_late), (2 * 200 + 1, 0));
    }
}

/// Adds, and before the processor has begun, tries again.
fn add_in_time(feeder: &Feeder<Vec<u8>>, mut next: Vec<u8>) -> Result<BufferId, AddError<Vec<u8>>> {
    loop {
        match feeder.add(next) {
            Err(error) if error.code() == 1816 => next = error.into_buffer(),
            other => return other,
        }
        thread::yield_now();
    }
}

#[test]
fn c17_a_pool_of_one_buffer_more_than_may_be_held_never_deadlocks_across_threads() {
    const HELD: usize = 3;
    let (pool, free) = channel();
    let (feeder, processor) = etweir::stream(Options::default().max_held_buffers(HELD))
        .on_event(|_, _| GO_ON)
        .on_complete(pool.clone(), |done: Done, pool| pool.send(done.buffer).unwrap_or_default())
        .build();
    for _ in 0..=HELD {
        pool.send(Vec::new()).expect("room");
    }
    drop(pool);
    let feeding = thread::spawn(move || {
        let mut number = 0;
        while number < 500 {
            let mut bytes = free.recv().expect("one comes back");
            bytes.clear();
            // Processor 1 never speaks, so order alone releases nothing.
            bytes.extend(if number == 0 { header(2) } else { buffer(0, number * 10) });
            feeder.add(bytes).expect("accepted");
            number += 1;
        }
    });
    let summary = processor.run().expect("processed");
    feeding.join().expect("no panic");
    assert_eq!((summary.stats.buffers_retired, summary.stats.events_late), (500, 0));
}

#[test]
fn c17_a_feeder_without_a_buffer_left_is_relieved() {
    let (pool, free) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| GO_ON)
        .on_complete(pool.clone(), |done: Done, pool| pool.send(done.buffer).unwrap_or_default())
        .build();
    pool.send(Vec::new()).expect("room");
    pool.send(Vec::new()).expect("room");
    drop(pool);
    let feeding = thread::spawn(move || {
        for number in 0..100 {
            let mut bytes = match free.try_recv() {
                Ok(bytes) => bytes,
                Err(_) => {
                    feeder.relieve();
                    free.recv().expect("one comes back")
                }
            };
            bytes.clear();
            bytes.extend(if number == 0 { header(2) } else { buffer(0, number * 10) });
            feeder.add(bytes).expect("accepted");
        }
    });
    let summary = processor.run().expect("processed");
    feeding.join().expect("no panic");
    assert_eq!((summary.stats.buffers_retired, summary.stats.events_delivered), (100, 199));
    assert!(summary.stats.pressure_releases > 0);
}

#[test]
fn c07_the_code_of_a_buffer_may_call_its_own_session() {
    /// Asks its session whenever it is asked for its bytes.
    struct Nosy(Vec<u8>, Arc<Mutex<Option<Feeder<Nosy>>>>);
    impl AsRef<[u8]> for Nosy {
        fn as_ref(&self) -> &[u8] {
            if let Some(feeder) = self.1.lock().expect("no panic").take() {
                feeder.try_add(Nosy(vec![0; 10], Arc::default())).expect_err("no buffer");
                feeder.finish();
            }
            &self.0
        }
    }
    let (feeder, processor) = etweir::stream::<Nosy>(Options::default()).on_event(|_, _| GO_ON).build();
    let own = Arc::new(Mutex::new(Some(feeder.clone())));
    let (done, ended) = channel();
    let adding = thread::spawn(move || {
        let added = feeder.add(Nosy(header(1), own));
        done.send(added.expect_err("finished by its own bytes").code()).expect("told");
    });
    assert_eq!(ended.recv_timeout(core::time::Duration::from_secs(60)), Ok(6), "it waits for ever");
    adding.join().expect("no panic");
    assert_eq!(processor.run().expect("processed").stats.buffers_received, 0);
}
