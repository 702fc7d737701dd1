//! How far away limits are, when they are told about, and what other limits would have made of a journal.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod support;

use std::collections::BTreeSet;

use portcullis_core::*;
use support::*;

/// The calm limits with some lines changed, everywhere they stand.
fn limits(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(calm(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn gauge(world: &World, key: &str) -> Gauge {
    let gauges = world.gate.gauges(world.now);
    gauges.into_iter().find(|gauge| gauge.key == key).unwrap_or_else(|| panic!("no gauge {key}"))
}

/// Value and limit, as people read them.
fn numbers(world: &World, key: &str) -> (String, String) {
    let gauge = gauge(world, key);
    let text = |value| gauge.unit.display(value, Some(&spec(BTC, "BTCUSDT", 2, 3)));
    (gauge.seen.map(text).unwrap_or_else(|why| why.as_str().to_owned()), text(gauge.limit))
}

/// Buys and has it filled whole.
fn filled(world: &mut World, quantity: i64, price: &str) {
    let id = world.place(buy(quantity, price)).unwrap();
    world.accept();
    world.fill(id, Qty(quantity), price);
}

mod gauges {
    use super::*;

    #[test]
    fn every_numeric_limit_has_one_in_every_scope() {
        let stops = "protection = \"stop\"\nstop_fraction = \"0.1\"\nstop_missing_ms_max = 10000";
        let world = World::with_limits(&limits(&[("protection = \"none\"", stops)]));
        let gauges = world.gate.gauges(world.now);
        let worded = ["margin_mode", "foreign_orders", "no_open", "protection"];
        let expected: BTreeSet<(LimitSection, &str)> = LimitWords::all()
            .filter(|words| !worded.contains(&words.key))
            .map(|words| (words.section, words.key))
            .collect();
        let found: BTreeSet<(LimitSection, &str)> =
            gauges.iter().map(|gauge| (gauge.words.section, gauge.words.key)).collect();
        assert_eq!(found, expected);
        let of = |scope| gauges.iter().filter(|gauge| gauge.scope == scope).count();
        assert_eq!(of(Scope::Strategy(MAKER)), of(Scope::Strategy(TAKER)));
        assert_eq!(of(Scope::Instrument(BTC)), of(Scope::Instrument(ETH)));
        assert_eq!(
            gauges.len(),
            of(Scope::Account) + 2 * of(Scope::Strategy(MAKER)) + 2 * of(Scope::Instrument(BTC))
        );
    }

    #[test]
    fn they_show_what_the_checks_see() {
        let mut world = World::new();
        filled(&mut world, 100, "60000.00");
        world.prices("59000.00", "3000.00");
        world.place(buy(50, "59000.00")).unwrap();
        let pair = |seen: &str, limit: &str| (seen.to_owned(), limit.to_owned());
        // 0.15 coins at the highest price in sight.
        assert_eq!(numbers(&world, "instrument.linear:BTCUSDT.position_notional_max"), pair("8850", "20000"));
        assert_eq!(numbers(&world, "account.position_notional_max"), pair("8850", "40000"));
        assert_eq!(numbers(&world, "account.daily_loss_max"), pair("100.01", "5000"));
        assert_eq!(numbers(&world, "account.drawdown_max"), pair("100.01", "5000"));
        assert_eq!(numbers(&world, "account.daily_profit_alert"), pair("-100.01", "20000"));
        assert_eq!(numbers(&world, "account.fees_per_day_max"), pair("0.01", "5000"));
        assert_eq!(numbers(&world, "account.orders_per_hour_max"), pair("2", "5000"));
        // 6,000 traded, and 2,950 open.
        assert_eq!(numbers(&world, "account.traded_value_per_day_max"), pair("8950", "5000000"));
        assert_eq!(numbers(&world, "account.leverage_max"), pair("0.008850000001", "5"));
        assert_eq!(numbers(&world, "instrument.linear:BTCUSDT.price_max"), pair("59000", "1000000"));
        assert_eq!(
            numbers(&world, "instrument.linear:BTCUSDT.order_quantity_max"),
            pair("bounds each order by itself", "1.000")
        );
        world.wait(Span::from_secs(3));
        assert_eq!(
            numbers(&world, "instrument.linear:BTCUSDT.market_data_age_ms_max"),
            pair("3001 ms", "10000 ms")
        );
        assert_eq!(gauge(&world, "account.daily_loss_max").used_percent(), Some(2));
        assert_eq!(gauge(&world, "instrument.linear:BTCUSDT.price_min").used_percent(), Some(1));
        // The other way round the value must not fall below it.
        assert_eq!(
            gauge(&world, "instrument.linear:BTCUSDT.price_min").left(),
            Some(Amount::parse("58000").unwrap().0)
        );
    }

    #[test]
    fn the_next_order_is_refused_where_a_gauge_is_full() {
        let mut world =
            World::with_limits(&limits(&[("orders_per_hour_max = 5000", "orders_per_hour_max = 2")]));
        world.place(buy(1, "59000.00")).unwrap();
        assert_eq!(gauge(&world, "account.orders_per_hour_max").used_percent(), Some(50));
        world.place(buy(1, "59001.00")).unwrap();
        assert_eq!(gauge(&world, "account.orders_per_hour_max").used_percent(), Some(100));
        assert_eq!(world.place(buy(1, "59002.00")), Err(RefusalCode::OrderRateLimit));
    }

    #[test]
    fn what_cannot_be_measured_says_why() {
        let mut world = World::empty();
        assert!(world.gate.gauges(world.now).is_empty(), "no limits, no gauges");
        world.step(Input::Limits(Box::new(Limits::parse(&calm()).unwrap())));
        world.step(Input::Instrument(spec(BTC, "BTCUSDT", 2, 3)));
        assert_eq!(gauge(&world, "account.leverage_max").seen, Err(Unmeasured::NoWallet));
        assert_eq!(gauge(&world, "account.leverage_max").used_percent(), None);
        assert_eq!(gauge(&world, "instrument.linear:BTCUSDT.price_max").seen, Err(Unmeasured::NoPrice));
    }

    #[test]
    fn a_strategys_own_section_and_the_signed_bounds_show() {
        let section: String = calm()
            .lines()
            .skip_while(|line| *line != "[each_strategy]")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .fold("[strategy.taker]\n".to_owned(), |text, line| text + line + "\n");
        let world = World::with_limits(&format!("{}\n{section}", calm()));
        assert_eq!(gauge(&world, "strategy.taker.daily_loss_max").scope, Scope::Strategy(TAKER));
        assert_eq!(gauge(&world, "each_strategy.daily_loss_max").scope, Scope::Strategy(MAKER));
    }
}

mod alerts {
    use super::*;

    #[test]
    fn four_fifths_of_a_rate_are_told_once_and_the_first_refusal_too() {
        let mut world =
            World::with_limits(&limits(&[("orders_per_hour_max = 5000", "orders_per_hour_max = 5")]));
        for price in ["59000.00", "59001.00", "59002.00"] {
            world.place(buy(1, price)).unwrap();
        }
        assert_eq!(world.alerts(), []);
        world.place(buy(1, "59003.00")).unwrap();
        let near = |text: &str| (FindingKind::LimitNear, text.to_owned());
        let expected = [
            near("taker: each_strategy.orders_per_hour_max: 4 of 5"),
            near("account.orders_per_hour_max: 4 of 5"),
        ];
        assert_eq!(world.alerts(), expected);
        world.place(buy(1, "59004.00")).unwrap();
        assert_eq!(world.alerts().len(), 2, "told once");
        for price in ["59005.00", "59006.00"] {
            assert_eq!(world.place(buy(1, price)), Err(RefusalCode::OrderRateLimit));
        }
        let reached = |text: &str| (FindingKind::LimitReached, text.to_owned());
        let expected = [
            reached("taker: each_strategy.orders_per_hour_max: 6 of 5"),
            reached("account.orders_per_hour_max: 6 of 5"),
        ];
        assert_eq!(world.alerts()[2..], expected);
    }

    #[test]
    fn losses_are_told_by_time_alone_and_again_only_after_they_were_small() {
        let mut world =
            World::with_limits(&limits(&[("daily_loss_max = \"2500\"", "daily_loss_max = \"100\"")]));
        filled(&mut world, 100, "60000.00");
        let mut told = |price: &str| {
            world.prices(price, "3000.00");
            world.pass(2);
            world.alerts().iter().filter(|(kind, _)| *kind == FindingKind::LimitNear).count()
        };
        // 0.1 coins: a loss of 10 USDT every hundred, and 0.01 fees.
        assert_eq!(["59300.00", "59190.00", "59250.00", "59190.00"].map(&mut told), [0, 1, 1, 1]);
        assert_eq!(["59800.00", "59190.00"].map(&mut told), [1, 2]);
        assert_eq!(world.gate.state().ladder().rungs().count(), 0, "an alert holds nothing");
        assert_eq!(world.alerts()[0].1, "taker: each_strategy.daily_loss_max: 81.01 of 100");
    }

    #[test]
    fn ticks_may_be_left_out_only_while_no_alert_can_come() {
        let mut world =
            World::with_limits(&limits(&[("daily_loss_max = \"2500\"", "daily_loss_max = \"100\"")]));
        world.step(Input::Tick);
        let id = world.place(buy(100, "60000.00")).unwrap();
        world.accept();
        world.fill(id, Qty(100), "60000.00");
        let report = OrderReport { executed: Qty(100), ..world.report_of(id, VenueStatus::Filled) };
        world.step(Input::Report(ExecutionReport::Order(report)));
        world.wait(Span::from_secs(1));
        world.step(Input::Tick);
        let quiet = world.gate.quiet(world.now).expect("nothing is open");
        let (_, lowest, highest) = quiet.bands[0];
        // 80 USDT of loss are 800 of the price; the high-water mark is nearer on the other side, and bands are even.
        assert!(lowest >= Amount::parse("59200").unwrap() && lowest < highest, "{quiet:?}");
        // Far below, the tick tells; then the band ends where the alert clears again.
        world.prices("59100.00", "3000.00");
        assert_eq!(world.gate.quiet(world.now), None);
        world.pass(1);
        let quiet = world.gate.quiet(world.now).expect("told, and still inside the limit");
        assert!(quiet.bands[0].2 <= Amount::parse("59300.1").unwrap(), "{quiet:?}");
    }
}

mod simulation {
    use super::*;

    struct Simulated {
        changes: Vec<DecisionChange>,
        trips: Vec<TripChange>,
        blind: Vec<String>,
        decisions: u64,
    }

    impl Simulated {
        fn of(&self, change: Change) -> Vec<&DecisionChange> {
            self.changes.iter().filter(|one| one.change == change).collect()
        }

        /// Keys that refuse orders that passed.
        fn refusing(&self) -> Vec<String> {
            let refused = self.of(Change::WouldRefuse);
            refused.iter().flat_map(|one| &one.reasons).map(|reason| reason.key.clone()).collect()
        }
    }

    fn simulate(world: &World, changes: &[(&str, &str)]) -> Simulated {
        let candidate = changes.iter().fold(
            world.gate.state().limits().unwrap().text().to_owned(),
            |text, (from, to)| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            },
        );
        let mut simulation = LimitsSimulation::new(Limits::parse(&candidate).unwrap());
        let mut changes = Vec::new();
        for (sequence, link, kind, body) in &world.journal {
            changes.extend(simulation.take(
                *sequence,
                link.clone(),
                &Record::decode(*kind, body).unwrap(),
                true,
            ));
        }
        let (decisions, blind) = (simulation.decisions(), simulation.blind());
        Simulated { changes, trips: simulation.trips(), blind, decisions }
    }

    #[test]
    fn the_same_limits_change_nothing() {
        let mut world = World::new();
        filled(&mut world, 100, "60000.00");
        world.place(market(Side::Sell, 10)).unwrap();
        world.place(buy(2_000, "60000.00")).unwrap_err();
        let same = simulate(&world, &[]);
        assert_eq!((same.changes, same.trips, same.blind, same.decisions), (vec![], vec![], vec![], 3));
    }

    #[test]
    fn a_tighter_bound_refuses_what_was_above_it_and_says_by_which_key() {
        let mut world = World::new();
        world.place(buy(100, "60000.00")).unwrap();
        world.place(buy(10, "60001.00")).unwrap();
        let tighter =
            simulate(&world, &[("order_notional_max = \"20000\"", "order_notional_max = \"5000\"")]);
        let refused = tighter.of(Change::WouldRefuse);
        assert_eq!(refused.len(), 1);
        let reason = &refused[0].reasons[0];
        assert_eq!(
            (reason.check, reason.key.as_str()),
            (CheckId::OrderNotional, "instrument.linear:BTCUSDT.order_notional_max")
        );
        let amount = |text| Amount::parse(text).unwrap().0;
        assert_eq!(
            (reason.seen, reason.before, reason.after),
            (amount("6000"), amount("20000"), Some(amount("5000")))
        );
        assert_eq!((refused[0].strategy, refused[0].number), (Some(TAKER), OrderNumber(1)));
    }

    #[test]
    fn a_looser_bound_lets_pass_what_nothing_else_refused() {
        let small = ("order_notional_max = \"20000\"", "order_notional_max = \"5000\"");
        let mut world = World::with_limits(&limits(&[small]));
        // Above one bound, and above two.
        world.place(buy(100, "60000.00")).unwrap_err();
        world.place(buy(340, "60000.00")).unwrap_err();
        let size = ("order_notional_max = \"5000\"", "order_notional_max = \"50000\"");
        let looser = simulate(&world, &[size]);
        let numbers: Vec<OrderNumber> = looser.of(Change::WouldPass).iter().map(|one| one.number).collect();
        assert_eq!(numbers, [OrderNumber(1)], "the other is too large a position as well");
        let both = ("position_notional_max = \"20000\"", "position_notional_max = \"50000\"");
        let looser = simulate(&world, &[size, both]);
        let passing = looser.of(Change::WouldPass);
        assert_eq!(passing.len(), 2);
        let checks: Vec<CheckId> = passing[1].reasons.iter().map(|reason| reason.check).collect();
        assert!(
            checks.contains(&CheckId::OrderNotional) && checks.contains(&CheckId::PositionInstrument),
            "{checks:?}"
        );
    }

    #[test]
    fn collars_scale_and_market_orders_move_with_them() {
        let mut world = World::new();
        // Four per cent away; the collar is five.
        world.place(buy(1, "57600.00")).unwrap();
        world.place(buy(1, "59900.00")).unwrap();
        world.place(market(Side::Buy, 1)).unwrap();
        let tighter = simulate(&world, &[("collar_fraction = \"0.05\"", "collar_fraction = \"0.03\"")]);
        let refused = tighter.of(Change::WouldRefuse);
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].number, OrderNumber(1));
        assert!(
            refused[0].reasons.iter().all(|reason| reason.key == "instrument.linear:BTCUSDT.collar_fraction")
        );
    }

    #[test]
    fn windows_of_the_day_and_of_duplicates_are_looked_at_anew() {
        let mut world = World::new();
        world.place(buy(1, "59900.00")).unwrap();
        world.wait(Span::from_millis(400));
        world.place(buy(1, "59900.00")).unwrap();
        let noon = simulate(&world, &[("no_open = []", "no_open = [\"11:59-12:01\"]")]);
        assert_eq!(noon.refusing(), ["account.no_open", "account.no_open"]);
        let longer = simulate(&world, &[("duplicate_window_ms = 1\n", "duplicate_window_ms = 500\n")]);
        assert_eq!(longer.refusing(), ["each_strategy.duplicate_window_ms"]);
        assert_eq!(longer.of(Change::WouldRefuse)[0].number, OrderNumber(2));
    }

    #[test]
    fn what_the_journal_does_not_hold_is_said() {
        let mut world = World::new();
        world.wait(Span::from_secs(11));
        world.place(buy(1, "59900.00")).unwrap_err();
        let older = simulate(&world, &[("market_data_age_ms_max = 10000", "market_data_age_ms_max = 60000")]);
        assert!(
            older.of(Change::WouldPass).len() + older.of(Change::Unknown).len() == 1,
            "{:?}",
            older.changes
        );
        let blind = simulate(
            &world,
            &[
                ("mark_age_ms_max = 120000", "mark_age_ms_max = 5"),
                ("intents_burst_max = 200", "intents_burst_max = 1"),
            ],
        );
        assert!(
            blind.blind.contains(&"instrument.linear:BTCUSDT.mark_age_ms_max".to_owned()),
            "{:?}",
            blind.blind
        );
        assert!(blind.blind.contains(&"each_strategy.intents_burst_max".to_owned()));
        assert!(blind.changes.is_empty());
    }

    #[test]
    fn a_trip_comes_earlier_or_not_at_all() {
        let mut world =
            World::with_limits(&limits(&[("daily_loss_max = \"2500\"", "daily_loss_max = \"100\"")]));
        filled(&mut world, 100, "60000.00");
        world.prices("59500.00", "3000.00");
        // Its checks show a loss of 50.
        world.place(buy(1, "59400.00")).unwrap();
        world.prices("58900.00", "3000.00");
        world.pass(2);
        assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
        let of = |bound: &str| {
            let to = format!("daily_loss_max = \"{bound}\"");
            let trips = simulate(&world, &[("daily_loss_max = \"100\"", &to)]).trips;
            let daily = |trip: &&TripChange| {
                trip.cause == StateCause::DailyLoss && trip.scope == Scope::Strategy(TAKER)
            };
            trips.iter().find(daily).map(|trip| (trip.happened.is_some(), trip.candidate.is_some()))
        };
        assert_eq!(of("40"), Some((true, true)), "earlier");
        assert_eq!(of("60"), None, "no number of the journal shows it earlier");
        assert_eq!(of("2000"), Some((true, false)), "not at all");
    }

    #[test]
    fn rejections_are_counted_against_the_candidate() {
        let mut world = World::new();
        for price in ["59000.00", "59001.00", "59002.00"] {
            world.place(buy(1, price)).unwrap();
            world.reject(RejectionKind::Other);
        }
        let trips = simulate(&world, &[("rejects_in_a_row_max = 20", "rejects_in_a_row_max = 3")]).trips;
        assert_eq!(trips.len(), 1);
        assert_eq!((trips[0].cause, trips[0].happened), (StateCause::RejectStorm, None));
        assert_eq!(trips[0].candidate.unwrap().seen, 3);
    }

    #[test]
    fn only_what_is_asked_about_is_judged() {
        let mut world = World::new();
        world.place(buy(100, "60000.00")).unwrap();
        let from = Sequence(world.journal.len() as u64);
        world.place(buy(101, "60001.00")).unwrap();
        let candidate = calm().replace("order_notional_max = \"20000\"", "order_notional_max = \"5000\"");
        let mut simulation = LimitsSimulation::new(Limits::parse(&candidate).unwrap());
        let mut numbers = Vec::new();
        for (sequence, link, kind, body) in &world.journal {
            let change = simulation.take(
                *sequence,
                link.clone(),
                &Record::decode(*kind, body).unwrap(),
                *sequence >= from,
            );
            numbers.extend(change.map(|change| change.number));
        }
        assert_eq!((numbers, simulation.decisions()), (vec![OrderNumber(2)], 1));
    }
}
