use portcullis_core::{MarketBody, Price, Qty, Rate, Side};

use super::*;
use crate::table::tests::spec;

const NOW: Timestamp = Timestamp(1_790_134_720_000_000_000);

fn feed() -> Feed {
    let wanted = Wanted {
        id: InstrumentId(1),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 2,
        bars_s: vec![60, 61],
    };
    Feed::new(Category::Linear, &[wanted], &[spec(Category::Linear)])
}

fn events(feed: &mut Feed, text: &str) -> Result<Vec<MarketBody>, FrameFault> {
    let mut bodies = Vec::new();
    feed.frame(text, NOW, &mut |event| {
        assert!(event.time >= event.venue_time && event.instrument == InstrumentId(1));
        bodies.push(event.body);
    })?;
    Ok(bodies)
}

fn book(kind: &str, u: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":5,"data":{{"s":"BTCUSDT","b":[{bids}],"a":[{asks}],"u":{u},"seq":3}},"cts":4}}"#
    )
}

#[test]
fn topics_are_grouped_by_instrument_and_unknown_bars_left_out() {
    let topics = feed().topics();
    assert_eq!(
        topics,
        [["publicTrade.BTCUSDT", "orderbook.50.BTCUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT"]]
    );
}

#[test]
fn what_is_taken_on_later_adds_its_topics_and_keeps_the_books() {
    let mut feed = feed();
    events(&mut feed, &book("snapshot", 1, r#"["100","1"]"#, r#"["101","1"]"#)).unwrap();
    let mut bitcoin = Wanted {
        id: InstrumentId(1),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 1,
        bars_s: vec![60, 300],
    };
    let mut ether = spec(Category::Linear);
    (ether.id, ether.symbol) = (InstrumentId(2), "ETHUSDT".parse().unwrap());
    let wanted = [
        bitcoin.clone(),
        Wanted { id: ether.id, symbol: ether.symbol.clone(), bars_s: Vec::new(), ..bitcoin.clone() },
    ];
    let specs = [spec(Category::Linear), ether];
    let new = feed.follow(&wanted, &specs);
    assert_eq!(new.len(), 2);
    assert_eq!(new[0], ["kline.5.BTCUSDT"]);
    assert_eq!(new[1], ["publicTrade.ETHUSDT", "orderbook.50.ETHUSDT", "tickers.ETHUSDT"]);
    assert_eq!(feed.follow(&wanted, &specs), [[""; 0]; 0]);
    // The book goes on where it was, and a smaller wish does not make it smaller.
    let bodies = events(&mut feed, &book("delta", 2, r#"["99","1"]"#, "")).unwrap();
    let Some(MarketBody::Book(book)) = bodies.last() else { panic!("no book in {bodies:?}") };
    assert_eq!(book.bids.len(), 2);
    bitcoin.category = Category::Spot;
    assert_eq!(feed.follow(&[bitcoin], &specs), [[""; 0]; 0]);
}

#[test]
fn every_trade_is_an_event_and_a_bad_one_does_not_hide_the_others() {
    let text = r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[
        {"T":1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"a","BT":false},
        {"T":1672304486865,"s":"BTCUSDT","S":"Sell","v":"0.0001","p":"16578.50","i":"b"},
        {"T":1672304486866,"s":"BTCUSDT","S":"Sell","v":"2","p":"16578.4","i":"c","seq":1}]}"#;
    let mut prices = Vec::new();
    let result = feed().frame(text, NOW, &mut |event| {
        if let MarketBody::Trade { price, quantity, taker } = event.body {
            prices.push((price, quantity, taker));
        }
    });
    assert_eq!(prices, [(Price(165_785), Qty(1), Side::Buy), (Price(165_784), Qty(2_000), Side::Sell)]);
    assert_eq!(result, Err(FrameFault::Value { symbol: "BTCUSDT".to_owned(), member: "v" }));
}

#[test]
fn a_quote_is_told_when_the_top_changes_and_the_book_always() {
    let mut feed = feed();
    let first =
        events(&mut feed, &book("snapshot", 1, r#"["100","1"],["99","1"],["98","1"]"#, r#"["101","1"]"#))
            .unwrap();
    assert!(
        matches!(first.as_slice(), [MarketBody::Quote { .. }, MarketBody::Book(book)] if book.bids.len() == 2)
    );
    let deeper = events(&mut feed, &book("delta", 2, r#"["99","4"]"#, "")).unwrap();
    assert!(matches!(deeper.as_slice(), [MarketBody::Book(book)] if book.bids[1].quantity == Qty(4_000)));
    let top = events(&mut feed, &book("delta", 3, "", r#"["101","0"]"#)).unwrap();
    assert!(matches!(top.first(), Some(MarketBody::Quote { ask, .. }) if ask.quantity == Qty(0)));
}

#[test]
fn a_gap_is_told_once_and_a_snapshot_heals_it() {
    let mut feed = feed();
    events(&mut feed, &book("snapshot", 1, r#"["100","1"]"#, "")).unwrap();
    let fault = events(&mut feed, &book("delta", 3, "", "")).unwrap_err();
    assert!(matches!(fault, FrameFault::Book { ref topic, .. } if topic == "orderbook.50.BTCUSDT"));
    assert_eq!(events(&mut feed, &book("delta", 4, "", "")), Ok(vec![]));
    let told = |feed: &mut Feed| feed.take_books().map(|(_, whole)| whole).collect::<Vec<_>>();
    assert_eq!(told(&mut feed), [false]);
    assert_eq!(events(&mut feed, &book("snapshot", 1, r#"["100","1"]"#, "")).unwrap().len(), 2);
    assert_eq!(told(&mut feed), [true]);
    // A new connection starts with whole books.
    events(&mut feed, &book("delta", 3, "", "")).unwrap_err();
    feed.reset();
    assert_eq!(told(&mut feed), [false, true]);
}

#[test]
fn tickers_keep_what_a_delta_leaves_out() {
    let mut feed = feed();
    let ticker = |kind: &str, members: &str| {
        format!(
            r#"{{"topic":"tickers.BTCUSDT","type":"{kind}","data":{{"symbol":"BTCUSDT"{members}}},"cs":1,"ts":2}}"#
        )
    };
    let all = r#","markPrice":"66666.65","indexPrice":"66600","fundingRate":"-0.005","nextFundingTime":"1760342400000""#;
    let first = events(&mut feed, &ticker("snapshot", all)).unwrap();
    assert!(matches!(
        first.as_slice(),
        [MarketBody::Mark { .. }, MarketBody::Funding { rate: Rate(-5_000_000_000), .. }]
    ));
    assert_eq!(events(&mut feed, &ticker("delta", r#","lastPrice":"1""#)), Ok(vec![]));
    let moved = events(&mut feed, &ticker("delta", r#","indexPrice":"66601""#)).unwrap();
    let [MarketBody::Mark { mark, index }] = moved.as_slice() else { panic!("{moved:?}") };
    assert_eq!((mark.0, index.0), (66_666_650_000_000_000_000_000, 66_601_000_000_000_000_000_000));
}

#[test]
fn only_closed_bars_are_told() {
    let candle = |confirm: bool| {
        format!(
            r#"{{"topic":"kline.1.BTCUSDT","data":[{{"start":1672324800000,"end":1672324859999,"interval":"1","open":"16649.5",
            "close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":{confirm},
            "timestamp":1672324988882}}],"ts":1672324988882,"type":"snapshot"}}"#
        )
    };
    let mut feed = feed();
    assert_eq!(events(&mut feed, &candle(false)), Ok(vec![]));
    let mut at = Timestamp::default();
    feed.frame(&candle(true), NOW, &mut |event| at = event.venue_time).unwrap();
    assert_eq!(at, Timestamp::from_millis(1_672_324_860_000));
}

/// What is left of a frame whose rows have these members instead: its events, and the member that was refused.
fn refused(feed: &mut Feed, text: &str) -> (usize, Option<&'static str>) {
    let mut events = Vec::new();
    let result = feed.frame(text, NOW, &mut |event| events.push(event));
    let member = match result {
        Err(FrameFault::Value { member, .. }) => Some(member),
        Err(FrameFault::Book { .. }) => Some("book"),
        Err(FrameFault::Malformed(words)) => panic!("{words}"),
        Ok(()) => None,
    };
    (events.len(), member)
}

#[test]
fn numbers_that_no_market_has_are_left_out() {
    let far = NOW.millis() + 61_000;
    let trade = |price: &str, quantity: &str, at: u64| {
        format!(
            r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{{"T":{at},"s":"BTCUSDT","S":"Buy","v":"{quantity}",
            "p":"{price}","L":"PlusTick","i":"x","BT":false,"seq":1}}]}}"#
        )
    };
    for (text, expected) in [
        (trade("100", "1", 1), (1, None)),
        (trade("-100", "1", 1), (0, Some("p"))),
        (trade("0", "1", 1), (0, Some("p"))),
        (trade("99999999999999999999", "1", 1), (0, Some("p"))),
        (trade("100", "-1", 1), (0, Some("v"))),
        (trade("100", "0", 1), (0, Some("v"))),
        // It would make everything after it look fresh.
        (trade("100", "1", far), (0, Some("T"))),
        (trade("100", "1", u64::MAX), (0, Some("T"))),
    ] {
        assert_eq!(refused(&mut feed(), &text), expected, "{text}");
    }
    for level in [r#"["-100","1"]"#, r#"["0","1"]"#, r#"["100","-1"]"#, r#"["99999999999999999999","1"]"#] {
        let mut feed = feed();
        assert_eq!(refused(&mut feed, &book("snapshot", 1, level, "")), (0, Some("book")), "{level}");
        assert_eq!(
            refused(&mut feed, &book("delta", 2, "", r#"["101","1"]"#)),
            (0, None),
            "nothing is left of it"
        );
    }
    let late = book("snapshot", 1, r#"["100","1"]"#, "").replace(r#""cts":4"#, &format!(r#""cts":{far}"#));
    assert_eq!(refused(&mut feed(), &late), (0, Some("cts")));
    let candle = |members: &str| {
        format!(
            r#"{{"topic":"kline.1.BTCUSDT","data":[{{"start":1672324800000,"end":1672324859999,"interval":"1",{members},
            "turnover":"1","confirm":true,"timestamp":1672324988882}}],"ts":1672324988882,"type":"snapshot"}}"#
        )
    };
    for (members, expected) in [
        (r#""open":"10","close":"12","high":"13","low":"9","volume":"0""#, (1, None)),
        (r#""open":"-10","close":"12","high":"13","low":"9","volume":"2""#, (0, Some("open"))),
        (r#""open":"10","close":"12","high":"13","low":"0","volume":"2""#, (0, Some("low"))),
        (r#""open":"10","close":"12","high":"11","low":"9","volume":"2""#, (0, Some("low"))),
        (r#""open":"10","close":"12","high":"13","low":"9","volume":"-2""#, (0, Some("volume"))),
    ] {
        assert_eq!(refused(&mut feed(), &candle(members)), expected, "{members}");
    }
}

#[test]
fn a_ticker_is_taken_over_whole_or_not_at_all() {
    let ticker = |members: &str| {
        format!(
            r#"{{"topic":"tickers.BTCUSDT","type":"delta","data":{{"symbol":"BTCUSDT"{members}}},"cs":1,"ts":2}}"#
        )
    };
    let mut feed = feed();
    let good = r#","markPrice":"66666.65","indexPrice":"66600""#;
    assert_eq!(refused(&mut feed, &ticker(good)), (1, None));
    for (members, member) in [
        (r#","indexPrice":"1","markPrice":"-66666.65""#, "markPrice"),
        (r#","indexPrice":"1","markPrice":"0""#, "markPrice"),
        (r#","markPrice":"1","indexPrice":"-1""#, "indexPrice"),
        (r#","markPrice":"1","fundingRate":"1.01""#, "fundingRate"),
        (r#","markPrice":"1","fundingRate":"-7""#, "fundingRate"),
        (r#","markPrice":"1","nextFundingTime":"-5""#, "nextFundingTime"),
    ] {
        assert_eq!(refused(&mut feed, &ticker(members)), (0, Some(member)), "{members}");
    }
    assert_eq!(refused(&mut feed, &ticker(good)), (0, None), "nothing of them was kept");
}

#[test]
fn strange_frames_are_faults_not_panics() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"topic":"orderbook.50.DOGEUSDT","type":"delta"}"#,
        r#"{"topic":"orderbook.200.BTCUSDT","type":"delta"}"#,
        r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":{}}"#,
        r#"{"topic":"#,
    ] {
        assert!(events(&mut feed(), text).is_err(), "{text}");
    }
}

#[test]
fn a_book_that_stands_still_while_trades_go_on_is_given_up() {
    let mut feed = feed();
    let mut at = |seconds: u64, text: &str| {
        feed.frame(text, Timestamp(NOW.0 + seconds * 1_000_000_000), &mut |_| {})
            .map_err(|fault| fault.to_string())
    };
    let trade = r#"{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"100","L":"PlusTick","i":"x","BT":false,"seq":1}]}"#;
    let (bids, asks) = (r#"["100","1"]"#, r#"["101","1"]"#);
    at(0, &book("snapshot", 1, bids, asks)).unwrap();
    at(600, trade).unwrap();
    at(604, trade).unwrap();
    at(604, &book("delta", 2, bids, asks)).unwrap();
    at(606, trade).unwrap();
    at(611, trade).unwrap();
    let fault = at(612, trade).unwrap_err();
    assert!(fault.contains("orderbook.50.BTCUSDT") && fault.contains("stands still"), "{fault}");
    at(613, trade).unwrap();
    assert_eq!(feed.take_books().collect::<Vec<_>>(), [(InstrumentId(1), false)]);
    let mut at =
        |seconds: u64, text: &str| feed.frame(text, Timestamp(NOW.0 + seconds * 1_000_000_000), &mut |_| {});
    at(614, &book("snapshot", 9, bids, asks)).unwrap();
    assert_eq!(feed.take_books().collect::<Vec<_>>(), [(InstrumentId(1), true)]);
}
