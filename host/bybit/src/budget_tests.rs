use super::*;

const CREATE: &str = path::CREATE;

fn taken(budget: &Budget, now: Instant, class: Class) -> usize {
    (0..100).take_while(|_| budget.take(now, CREATE, Category::Linear, class).is_ok()).count()
}

#[test]
fn entries_leave_a_share_for_reductions() {
    let (budget, now) = (Budget::default(), Instant::now());
    assert_eq!(taken(&budget, now, Class::Adding), 8);
    assert_eq!(taken(&budget, now, Class::Reducing), 2);
    assert!(budget.take(now, CREATE, Category::Spot, Class::Adding).is_ok());
    assert!(budget.take(now, path::CREATE_BATCH, Category::Linear, Class::Adding).is_ok(), "apart");
}

#[test]
fn the_window_rolls() {
    let (budget, now) = (Budget::default(), Instant::now());
    assert_eq!(taken(&budget, now, Class::Cancel), 10);
    let exhausted = budget.take(now, CREATE, Category::Linear, Class::Cancel).unwrap_err();
    assert_eq!(exhausted, Exhausted { until: now + WINDOW, banned: false });
    assert_eq!(taken(&budget, exhausted.until, Class::Cancel), 10);
}

#[test]
fn headers_correct_the_limit() {
    let (budget, now) = (Budget::default(), Instant::now());
    assert!(budget.take(now, CREATE, Category::Linear, Class::Cancel).is_ok());
    // Twenty allowed, and somebody else used four of them.
    let headers = RateHeaders { limit: Some(20), left: Some(15), reset_ms: None };
    budget.learn(now, CREATE, Category::Linear, headers);
    assert_eq!(taken(&budget, now, Class::Cancel), 15);
}

#[test]
fn too_many_rests_until_the_venue_says() {
    let (budget, now) = (Budget::default(), Instant::now());
    let named = |reset| RateHeaders { reset_ms: reset, ..RateHeaders::default() };
    budget.exceeded(now, CREATE, Category::Linear, named(Some(13_000)), Some(10_000));
    assert_eq!(taken(&budget, now + Duration::from_millis(2_999), Class::Cancel), 0);
    assert_eq!(taken(&budget, now + Duration::from_millis(3_000), Class::Cancel), 10);
    let later = now + Duration::from_secs(60);
    for (reset, rest) in [(None, WINDOW), (Some(u64::MAX), REST_MAX), (Some(1), WINDOW)] {
        budget.exceeded(later, CREATE, Category::Linear, named(reset), Some(10_000));
        let until = budget.take(later, CREATE, Category::Linear, Class::Cancel).unwrap_err().until;
        assert_eq!(until, later + rest, "{reset:?}");
    }
}

#[test]
fn an_address_that_was_turned_away_stays_quiet() {
    let (budget, now) = (Budget::default(), Instant::now());
    let bans = budget.bans();
    budget.banned(now);
    for class in [Class::Adding, Class::Reducing, Class::Cancel] {
        let exhausted = budget.take(now, CREATE, Category::Linear, class).unwrap_err();
        assert_eq!(exhausted, Exhausted { until: now + BAN, banned: true });
    }
    assert!(bans.has_changed().unwrap());
    assert_eq!((budget.banned_until(now), budget.banned_until(now + BAN)), (Some(now + BAN), None));
    assert_eq!(taken(&budget, now + BAN, Class::Cancel), 10);
}

#[test]
fn an_address_has_a_limit_of_its_own() {
    let (budget, now) = (Budget::default(), Instant::now());
    for _ in 0..ADDRESS_ADDING {
        budget.count(now);
    }
    assert_eq!(taken(&budget, now, Class::Adding), 0);
    assert_eq!(taken(&budget, now, Class::Cancel), 10);
    assert_eq!(taken(&budget, now + ADDRESS_WINDOW, Class::Adding), 8);
}
