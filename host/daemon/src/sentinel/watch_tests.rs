#![allow(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;

const TERM: Duration = Duration::from_secs(10);

/// A watch and a clock to turn.
struct Post {
    watch: Watch,
    now: Instant,
}

impl Post {
    fn new(memory: Memory) -> Self {
        let now = Instant::now();
        Self { watch: Watch::new(TERM, memory, now), now }
    }

    fn renew(&mut self, change: impl FnOnce(&mut Lease)) -> Option<OwedHalt> {
        let mut lease = lease();
        change(&mut lease);
        self.watch.renew(lease, self.now)
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn on_duty(&self) -> bool {
        self.watch.duty(self.now).is_some()
    }

    fn round(&mut self, found: Result<u64, String>) {
        assert!(self.on_duty(), "a round without a duty");
        self.watch.round(found, self.now);
    }

    fn state(&self) -> String {
        self.watch.status(self.now).state
    }
}

fn lease() -> Lease {
    Lease { markets: vec![Category::Linear], halted: false, leaving: false }
}

fn drill() -> OwedHalt {
    OwedHalt { actor: "ann".to_owned(), reason: "drill".to_owned() }
}

#[test]
fn a_gateway_that_renews_is_left_alone() {
    let mut post = Post::new(Memory::default());
    assert!(!post.on_duty());
    for _ in 0..100 {
        assert_eq!(post.renew(|_| ()), None);
        post.pass(9);
        assert!(!post.on_duty());
    }
    assert_eq!(post.state(), "holding");
}

#[test]
fn entries_go_when_the_lease_lapses_and_until_nothing_is_left() {
    let mut post = Post::new(Memory::default());
    post.renew(|_| ());
    post.pass(10);
    assert_eq!(post.watch.duty(post.now), Some(vec![Category::Linear]));
    for found in [Err("no answer".to_owned()), Ok(3), Ok(0)] {
        post.round(found);
        assert!(!post.on_duty(), "not without a pause");
        post.pass(2);
    }
    // One order was under way.
    post.round(Ok(1));
    for _ in 0..5 {
        post.pass(2);
        post.round(Ok(0));
        assert_eq!(post.state(), "cancelling");
    }
    post.pass(2);
    post.round(Ok(0));
    assert_eq!(post.state(), "cancelled");
    // Whoever trades the account by hand from here on is not disturbed.
    post.pass(3_600);
    assert!(!post.on_duty());
}

#[test]
fn a_gateway_that_did_not_say_where_it_trades_is_covered_everywhere() {
    let mut post = Post::new(Memory::default());
    post.renew(|lease| lease.markets.clear());
    post.pass(10);
    assert_eq!(post.watch.duty(post.now), Some(vec![Category::Linear, Category::Spot]));
}

#[test]
fn a_gateway_that_comes_back_takes_its_lease_again() {
    let mut post = Post::new(Memory::default());
    post.renew(|_| ());
    post.pass(12);
    post.round(Ok(2));
    post.renew(|_| ());
    post.pass(5);
    assert!(!post.on_duty());
    post.pass(5);
    assert!(post.on_duty(), "and it lapses as before");
}

#[test]
fn an_orderly_end_leaves_time_for_the_next_start() {
    let mut post = Post::new(Memory::default());
    post.renew(|lease| lease.leaving = true);
    post.pass(59);
    assert!(!post.on_duty());
    post.pass(1);
    assert!(post.on_duty());
}

#[test]
fn a_halt_acts_at_once_and_is_owed_until_it_is_taken() {
    let mut post = Post::new(Memory::default());
    post.renew(|_| ());
    post.watch.halt(drill(), post.now);
    post.round(Ok(1));
    assert_eq!(post.renew(|_| ()), Some(drill()));
    // It lives but has not taken the halt: whatever it sends meanwhile goes.
    for _ in 0..20 {
        post.pass(2);
        post.renew(|_| ());
        post.round(Ok(0));
    }
    assert_eq!(post.renew(|lease| lease.halted = true), None);
    post.pass(2);
    assert!(!post.on_duty());
    assert_eq!(post.watch.memory().owed, None);
}

#[test]
fn a_halt_waits_for_a_gateway_that_is_dead() {
    let mut post = Post::new(Memory::default());
    post.watch.halt(drill(), post.now);
    assert_eq!(post.watch.duty(post.now), Some(vec![Category::Linear, Category::Spot]));
    for _ in 0..6 {
        post.round(Ok(0));
        post.pass(2);
    }
    assert!(!post.on_duty());
    // Also over a restart of the sentinel.
    let mut post = Post::new(post.watch.memory());
    assert!(post.on_duty(), "it cannot know that all of it was done");
    assert_eq!(post.renew(|_| ()), Some(drill()));
}

#[test]
fn a_lease_outlives_the_sentinel() {
    let mut post = Post::new(Memory::default());
    post.renew(|_| ());
    let mut post = Post::new(post.watch.memory());
    assert!(!post.on_duty());
    post.pass(10);
    assert!(post.on_duty());
    post.round(Ok(0));
    post.pass(11);
    post.round(Ok(0));
    assert_eq!(post.watch.memory(), Memory::default());
}
