//! The paper exchange under load: public frames to ten clients, and orders over REST. Exchange and clients share the machine.

#![expect(clippy::arithmetic_side_effects, reason = "counts of a bench, far from any bound")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use portcullis_paper::{PaperConfig, PaperKey, Speed, bind};
use portcullis_wire::{Credentials, path};
use tokio::sync::oneshot;

use super::Figures;
use super::journal::Scratch;
use crate::clock;
use crate::failure::Failure;

const CLIENTS: usize = 10;
/// Trades of the recording, one a millisecond, and how much faster it is played: no more frames than that can be counted.
const TRADES: u64 = 60_000;
const SPEED: f64 = 40.0;
/// Connections that place and cancel orders, each one request at a time.
const TRADERS: usize = 16;
const MEASURED_FOR: Duration = Duration::from_secs(4);
/// How long nothing may come before a client gives up.
const PATIENCE: Duration = Duration::from_secs(20);

const KEY: &str = "bench";
const SECRET: &str = "bench-secret";

/// Measures `paper_frames_per_s`, which each of ten clients got, `paper_frames_delivered_per_s`, all of theirs together, and
/// `paper_orders_per_s`: creates that were acknowledged, each with its cancel.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let scratch = Scratch::new()?;
    let market = scratch.0.join("trades.csv");
    fs::write(&market, trades()).context("cannot write the bench market")?;
    let books = scratch.0.join("books.ndjson");
    fs::write(&books, self::books()).context("cannot write the bench market")?;

    let busy = Exchange::start(PaperConfig {
        data: vec![market.clone(), books],
        speed: Speed::new(SPEED).ok_or_else(|| anyhow!("no such speed"))?,
        ..config()?
    })?;
    let frames = frames(busy.address)?;
    busy.stop()?;
    figures.insert(
        "paper_frames_per_s".to_owned(),
        per_second(frames.iter().copied().min().unwrap_or(0)).into(),
    );
    figures.insert("paper_frames_delivered_per_s".to_owned(), per_second(frames.iter().sum()).into());

    let calm = Exchange::start(PaperConfig { data: vec![market], limits: false, ..config()? })?;
    let orders = orders(calm.address)?;
    calm.stop()?;
    figures.insert("paper_orders_per_s".to_owned(), per_second(orders).into());
    Ok(())
}

fn per_second(count: u64) -> u64 {
    count / MEASURED_FOR.as_secs().max(1)
}

fn config() -> Result<PaperConfig, Failure> {
    let credentials = Credentials::new(KEY, &SECRET.to_owned().into());
    let listen = "127.0.0.1:0".parse().context("no loopback address")?;
    Ok(PaperConfig::new(listen, vec![PaperKey { credentials, read_only: false }]))
}

fn trades() -> String {
    let mut text = "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side\n".to_owned();
    for at in 0..TRADES {
        let (symbol, price) =
            if at % 2 == 0 { ("BTCUSDT", 60_000 + at % 7) } else { ("ETHUSDT", 2_500 + at % 5) };
        let side = if at % 3 == 0 { "sell" } else { "buy" };
        let time = 1_764_000_000_000 + at;
        text.push_str(&format!("usdm,{symbol},{time},{time},{time},{at},{price}.00,0.01,{side}\n"));
    }
    text
}

/// A book whose best levels change every ten milliseconds.
fn books() -> String {
    let mut text = String::new();
    for at in 0..TRADES / 10 {
        let kind = if at == 0 { "snapshot" } else { "delta" };
        let (update, time) = (at + 2, 1_764_000_000_000 + at * 10);
        let level = |price: u64| format!(r#"["{price}.00","{}"]"#, 1 + (at + price) % 9);
        let side = |prices: &[u64]| prices.iter().map(|price| level(*price)).collect::<Vec<_>>().join(",");
        let bids: Vec<u64> = (59_960..60_000).rev().take(if at == 0 { 40 } else { 3 }).collect();
        let asks: Vec<u64> = (60_007..60_047).take(if at == 0 { 40 } else { 3 }).collect();
        text.push_str(&format!(
            r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":{time},"data":{{"s":"BTCUSDT","b":[{}],"a":[{}],"u":{update},"seq":{update}}},"cts":{time}}}"#,
            side(&bids),
            side(&asks)
        ));
        text.push('\n');
    }
    text
}

/// A paper exchange on threads of its own.
struct Exchange {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Exchange {
    fn start(config: PaperConfig) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.context("no threads")?;
        let paper = runtime.block_on(bind(config)).map_err(anyhow::Error::new)?;
        let address = paper.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            runtime.block_on(paper.run(async { drop(stopped.await) })).map_err(anyhow::Error::new)
        });
        Ok(Self { address, stop, thread })
    }

    fn stop(self) -> Result<(), Failure> {
        drop(self.stop);
        Ok(self.thread.join().map_err(|_| anyhow!("the paper exchange panicked"))??)
    }
}

/// How many frames each client got in the measured time.
fn frames(address: SocketAddr) -> Result<Vec<u64>, Failure> {
    let (counters, done) = (counters(CLIENTS), Arc::new(AtomicBool::new(false)));
    let ready = Arc::new(Barrier::new(CLIENTS + 1));
    let clients: Vec<JoinHandle<anyhow::Result<()>>> = counters
        .iter()
        .map(|counter| {
            let (counter, done, ready) = (Arc::clone(counter), Arc::clone(&done), Arc::clone(&ready));
            thread::spawn(move || listen(address, &counter, &done, &ready))
        })
        .collect();
    ready.wait();
    let counted = measured(&counters);
    done.store(true, Ordering::Relaxed);
    join(clients)?;
    Ok(counted)
}

fn counters(count: usize) -> Vec<Arc<AtomicU64>> {
    (0..count).map(|_| Arc::default()).collect()
}

/// By how much each counter grows in the measured time, after a second in which everything gets going.
fn measured(counters: &[Arc<AtomicU64>]) -> Vec<u64> {
    thread::sleep(Duration::from_secs(1));
    let read = || counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect::<Vec<u64>>();
    let before = read();
    thread::sleep(MEASURED_FOR);
    read().into_iter().zip(before).map(|(after, before)| after.saturating_sub(before)).collect()
}

fn join(threads: Vec<JoinHandle<anyhow::Result<()>>>) -> Result<(), Failure> {
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a bench client panicked"))??;
    }
    Ok(())
}

/// A client of the public stream. It counts frames and reads no more of them than their lengths.
fn listen(address: SocketAddr, frames: &AtomicU64, done: &AtomicBool, ready: &Barrier) -> anyhow::Result<()> {
    let mut stream = subscribe(address);
    // Whatever happened, the others wait for nobody.
    ready.wait();
    let stream = stream.as_mut().map_err(|error| anyhow!("a bench client cannot subscribe: {error}"))?;
    let mut payload = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let mut head = [0; 2];
        stream.read_exact(&mut head).context("the exchange cut a bench client")?;
        let [first, length] = head;
        let length = match length {
            126 => {
                let mut long = [0; 2];
                stream.read_exact(&mut long)?;
                u64::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut long = [0; 8];
                stream.read_exact(&mut long)?;
                u64::from_be_bytes(long)
            }
            short => u64::from(short),
        };
        if first != 0x81 || length > 1 << 20 {
            bail!("the exchange ended a bench client's stream");
        }
        payload.resize(usize::try_from(length).unwrap_or(0), 0);
        stream.read_exact(&mut payload)?;
        // Answers to the subscription are no frames of a market.
        frames.fetch_add(u64::from(payload.starts_with(b"{\"topic\"")), Ordering::Relaxed);
    }
    Ok(())
}

fn subscribe(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(
        format!(
            "GET {} HTTP/1.1\r\nHost: paper\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cG9ydGN1bGxpcyBiZW5jaA==\r\n\r\n",
            path::PUBLIC_LINEAR
        )
        .as_bytes(),
    )?;
    let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let status = head(&mut reader)?.0;
    if status != 101 {
        bail!("status {status}");
    }
    let topics =
        r#"{"op":"subscribe","args":["publicTrade.BTCUSDT","publicTrade.ETHUSDT","orderbook.50.BTCUSDT"]}"#;
    // Shorter than 126 bytes; a mask of zeros leaves it as it is.
    let length = u8::try_from(topics.len()).ok().filter(|length| *length < 126);
    let length = length.ok_or_else(|| anyhow!("a bench subscription is too long"))?;
    stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0])?;
    stream.write_all(topics.as_bytes())?;
    Ok(reader)
}

/// Status and body length of an answer's head.
fn head(reader: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, usize)> {
    let (mut status, mut length) = (0, 0);
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let text = line.trim_end();
        if text.is_empty() {
            return Ok((status, length));
        }
        if status == 0 {
            let code = text.split(' ').nth(1).and_then(|code| code.parse().ok());
            status = code.ok_or_else(|| anyhow!("no answer of a server: {text}"))?;
        } else if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
}

/// How many orders were acknowledged in the measured time.
fn orders(address: SocketAddr) -> Result<u64, Failure> {
    // The first trade makes the first price.
    thread::sleep(Duration::from_millis(200));
    let (counters, done) = (counters(TRADERS), Arc::new(AtomicBool::new(false)));
    let traders: Vec<JoinHandle<anyhow::Result<()>>> = counters
        .iter()
        .enumerate()
        .map(|(number, counter)| {
            let (counter, done) = (Arc::clone(counter), Arc::clone(&done));
            thread::spawn(move || trade(address, number, &counter, &done))
        })
        .collect();
    let counted = measured(&counters).iter().sum();
    done.store(true, Ordering::Relaxed);
    join(traders)?;
    Ok(counted)
}

/// Places orders far from the market, and cancels each.
fn trade(address: SocketAddr, number: usize, orders: &AtomicU64, done: &AtomicBool) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let credentials = Credentials::new(KEY, &SECRET.to_owned().into());
    let started = Instant::now();
    for count in 0_u64.. {
        if done.load(Ordering::Relaxed) || started.elapsed() > PATIENCE {
            break;
        }
        let link = format!("bench-{number}-{count}");
        let create = format!(
            r#"{{"category":"linear","symbol":"ETHUSDT","side":"Buy","orderType":"Limit","qty":"0.01","price":"2400.00","orderLinkId":"{link}"}}"#
        );
        post(&mut stream, &mut reader, &credentials, path::CREATE, &create)?;
        orders.fetch_add(1, Ordering::Relaxed);
        let cancel = format!(r#"{{"category":"linear","symbol":"ETHUSDT","orderLinkId":"{link}"}}"#);
        post(&mut stream, &mut reader, &credentials, path::CANCEL, &cancel)?;
    }
    Ok(())
}

fn post(
    stream: &mut TcpStream,
    reader: &mut BufReader<TcpStream>,
    credentials: &Credentials,
    path: &str,
    body: &str,
) -> anyhow::Result<()> {
    let now = clock::now().millis();
    let sign = credentials.sign_request(now, 5_000, body.as_bytes());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: paper\r\nContent-Type: application/json\r\nX-BAPI-API-KEY: {KEY}\r\n\
         X-BAPI-TIMESTAMP: {now}\r\nX-BAPI-RECV-WINDOW: 5000\r\nX-BAPI-SIGN: {}\r\nContent-Length: {}\r\n\r\n{body}",
        sign.as_str(),
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let (status, length) = head(reader)?;
    let mut answer = vec![0; length.min(1 << 20)];
    reader.read_exact(&mut answer)?;
    if status != 200 || !answer.starts_with(b"{\"retCode\":0,") {
        bail!("the exchange answered {status} {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
