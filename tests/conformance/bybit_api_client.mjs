// Drives the paper exchange with bybit-api, as bybit-api drives Bybit. Where it is installed is told by NODE_CLIENTS, because
// modules are not found by NODE_PATH.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_CLIENTS, 'package.json'));
const { RestClientV5, WebsocketClient, WebsocketAPIClient } = require('bybit-api');

const { PAPER_REST: baseUrl, PAPER_WS: ws, PAPER_KEY: key, PAPER_SECRET: secret } = process.env;
const symbol = 'BTCUSDT';
const linear = { category: 'linear', symbol };
const quiet = { trace() {}, info() {}, error: console.error };

const told = (name) => console.log(`ok ${name}`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, found) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const result = await found();
    if (result) return result;
    await pause(20);
  }
  throw new Error(`waited in vain for ${what}`);
}

const client = (options = {}) => new RestClientV5({ key, secret, baseUrl, ...options });
const code = async (reply) => (await reply).retCode;
const rest = client();

async function market() {
  assert.ok(Math.abs((await rest.getServerTime()).time - Date.now()) < 5000);
  const rules = (await rest.getInstrumentsInfo(linear)).result.list[0];
  assert.equal(rules.priceFilter.tickSize, '0.1');
  const price = await until('a first price', async () => Number((await rest.getTickers(linear)).result.list[0].lastPrice));
  const book = (await rest.getOrderbook({ ...linear, limit: 50 })).result;
  assert.ok(Number(book.b[0][0]) < Number(book.a[0][0]));
  assert.ok((await rest.getKline({ ...linear, interval: '1', limit: 3 })).result.list.length > 0);
  assert.equal(await code(rest.getPublicTradingHistory({ ...linear, limit: 5 })), 0);
  assert.equal(await code(rest.getFundingRateHistory({ ...linear, limit: 2 })), 0);
  told('market data');
  return price;
}

async function account() {
  assert.equal((await rest.getQueryApiKey()).result.readOnly, 0);
  assert.equal(await code(rest.getAccountInfo()), 0);
  assert.ok(Number((await rest.getWalletBalance({ accountType: 'UNIFIED', coin: 'USDT' })).result.list[0].totalEquity) > 0);
  assert.equal(await code(rest.getFeeRate(linear)), 0);
  told('account and wallet');
}

/** A subscribed connection and the rows it was told, by topic. */
async function listen(path, topics, options = {}) {
  const rows = {};
  const socket = new WebsocketClient({ wsUrl: ws + path, ...options }, quiet);
  socket.on('update', (message) => (rows[message.topic] ??= []).push(...[message.data].flat()));
  socket.on('exception', (error) => console.error(error));
  const subscribed = await Promise.race([socket.subscribeV5(topics, 'linear'), pause(3000)]);
  return { rows, socket, subscribed };
}

async function orders(price) {
  const topics = ['order', 'execution', 'position', 'wallet', 'execution.fast'];
  const { rows, socket } = await listen('/v5/private', topics, { key, secret });
  await pause(1000);
  const seen = (link, status) =>
    until(`${link} to be ${status}`, () =>
      rows.order?.find((row) => row.orderLinkId === link && row.orderStatus === status));
  const low = (price * 0.9).toFixed(1);
  const order = { ...linear, side: 'Buy', orderType: 'Limit', qty: '0.010', price: low, positionIdx: 0 };
  const made = await rest.submitOrder({ ...order, orderLinkId: 'ba-1' });
  assert.equal(made.result.orderLinkId, 'ba-1');
  assert.equal((await seen('ba-1', 'New')).orderId, made.result.orderId);
  assert.equal(await code(rest.amendOrder({ ...linear, orderLinkId: 'ba-1', qty: '0.020' })), 0);
  assert.equal((await rest.getActiveOrders(linear)).result.list.length, 1);
  assert.equal(await code(rest.cancelOrder({ ...linear, orderLinkId: 'ba-1' })), 0);
  assert.equal((await seen('ba-1', 'Cancelled')).rejectReason, 'EC_PerCancelRequest');

  assert.equal(await code(rest.submitOrder({ ...linear, side: 'Buy', orderType: 'Market', qty: '0.010', orderLinkId: 'ba-2' })), 0);
  await seen('ba-2', 'Filled');
  await until('the fill', () => rows.execution?.find((row) => row.orderLinkId === 'ba-2' && Number(row.execFee) > 0));
  await until('the fast fill', () => rows['execution.fast']?.length);
  await until('the position', () => rows.position?.find((row) => Number(row.size) === 0.01));
  await until('the wallet', () => rows.wallet?.length);
  const position = (await rest.getPositionInfo(linear)).result.list[0];
  assert.deepEqual([position.side, Number(position.size)], ['Buy', 0.01]);
  const stop = { ...linear, positionIdx: 0, tpslMode: 'Full', stopLoss: (price * 0.5).toFixed(1) };
  assert.equal(await code(rest.setTradingStop(stop)), 0);
  assert.equal(await code(rest.submitOrder({ ...linear, side: 'Sell', orderType: 'Market', qty: '0.010', reduceOnly: true })), 0);
  assert.equal(await code(rest.setLeverage({ ...linear, buyLeverage: '5', sellLeverage: '5' })), 0);
  assert.ok((await rest.getHistoricOrders({ ...linear, orderId: made.result.orderId })).result.list.length);
  assert.ok((await rest.getExecutionList({ ...linear, orderLinkId: 'ba-2' })).result.list.length);
  told('orders, positions, leverage and the private stream');

  const { category, ...one } = order;
  const batch = [0, 1, 2].map((n) => ({ ...one, orderLinkId: `ba-b${n}`, ...(n === 1 ? { qty: '0' } : {}) }));
  const placed = await rest.batchSubmitOrders(category, batch);
  assert.deepEqual(placed.retExtInfo.list.map((item) => item.code), [0, 10001, 0]);
  const ended = await rest.batchCancelOrders(category, [0, 1].map((n) => ({ symbol, orderLinkId: `ba-b${n}` })));
  assert.deepEqual(ended.retExtInfo.list.map((item) => item.code), [0, 110001]);
  assert.equal((await rest.cancelAllOrders(linear)).result.list.length, 1);
  // A cursor comes back encoded once more.
  for (const n of [0, 1, 2]) await rest.submitOrder({ ...order, orderLinkId: `ba-p${n}` });
  const first = await rest.getActiveOrders({ ...linear, limit: 2 });
  const second = await rest.getActiveOrders({ ...linear, limit: 2, cursor: first.result.nextPageCursor });
  const names = [...first.result.list, ...second.result.list].map((row) => row.orderLinkId);
  assert.deepEqual(names, ['ba-p2', 'ba-p1', 'ba-p0']);
  await rest.cancelAllOrders(linear);
  told('batches and pages');
  socket.closeAll(true);
}

async function errors(price) {
  const low = (price * 0.9).toFixed(1);
  const order = { ...linear, side: 'Buy', orderType: 'Limit', qty: '0.010', price: low };
  await pause(1100);
  assert.equal(await code(rest.cancelOrder({ ...linear, orderLinkId: 'nowhere' })), 110001);
  assert.equal(await code(rest.submitOrder({ ...order, qty: '150' })), 110007);
  assert.equal(await code(rest.submitOrder({ ...order, side: 'Sell', reduceOnly: true })), 110017);
  assert.equal(await code(rest.submitOrder({ ...order, orderLinkId: 'ba-twice' })), 0);
  assert.equal(await code(rest.submitOrder({ ...order, orderLinkId: 'ba-twice' })), 110072);
  await rest.cancelAllOrders(linear);
  assert.equal(await code(client({ secret: 'wrong' }).getAccountInfo()), 10004);
  const late = client();
  late.timeOffset = -20_000;
  assert.equal(await code(late.getAccountInfo()), 10002);
  told('errors');
}

async function publicStreams() {
  const topics = [`orderbook.50.${symbol}`, `publicTrade.${symbol}`, `tickers.${symbol}`, `kline.1.${symbol}`];
  const { rows, socket } = await listen('/v5/public/linear', topics);
  for (const topic of topics) await until(topic, () => rows[topic]?.length > 1);
  told('public streams');
  socket.closeAll(true);
}

async function tradeStream(price) {
  const trade = new WebsocketAPIClient({ key, secret, wsUrl: `${ws}/v5/trade` }, quiet);
  const order = { ...linear, side: 'Buy', orderType: 'Limit', qty: '0.010', price: (price * 0.9).toFixed(1) };
  await pause(1100);
  const made = await trade.submitNewOrder({ ...order, orderLinkId: 'ba-w1' });
  assert.equal(made.data.orderLinkId, 'ba-w1');
  assert.equal((await trade.amendOrder({ ...linear, orderLinkId: 'ba-w1', qty: '0.02' })).retCode, 0);
  assert.equal((await trade.cancelOrder({ ...linear, orderLinkId: 'ba-w1' })).retCode, 0);
  const gone = await trade.cancelOrder({ ...linear, orderLinkId: 'ba-w1' }).catch((error) => error);
  assert.equal(gone.retCode, 110001);
  const { category, ...one } = order;
  const placed = await trade.batchSubmitOrders(category, [2, 3].map((n) => ({ ...one, orderLinkId: `ba-w${n}` })));
  assert.deepEqual(placed.retExtInfo.list.map((item) => item.code), [0, 0]);
  const ended = await trade.batchCancelOrder(category, [2, 3].map((n) => ({ symbol, orderLinkId: `ba-w${n}` })));
  assert.deepEqual(ended.retExtInfo.list.map((item) => item.code), [0, 0]);
  told('trade stream');
}

try {
  const price = await market();
  await account();
  await orders(price);
  await errors(price);
  await publicStreams();
  await tradeStream(price);
  told('all');
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
