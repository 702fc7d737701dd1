"""Drives the paper exchange with pybit, as pybit drives Bybit."""

import json
import urllib.request

import pybit._websocket_trading
import pybit.unified_trading
from checks import KEY, REST, SECRET, WS, equal, run, told, until
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

SYMBOL = "BTCUSDT"
LINEAR = {"category": "linear", "symbol": SYMBOL}

# pybit has no option for a whole base URL.
pybit.unified_trading.PUBLIC_WSS = WS + "/v5/public/{CHANNEL_TYPE}"
pybit.unified_trading.PRIVATE_WSS = WS + "/v5/private"
pybit._websocket_trading.TRADE_WSS = WS + "/v5/trade"


def http(key=KEY, secret=SECRET, **options):
    # Without the codes it would retry: the errors are what is looked at here.
    session = HTTP(api_key=key, api_secret=secret, retry_codes={1}, max_retries=1, **options)
    session.endpoint = REST
    return session


def refused(code, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except InvalidRequestError as error:
        equal(error.status_code, code, "code")
        return error
    raise AssertionError(f"{call.__name__} was not refused")


def market(session):
    assert abs(session.get_server_time()["time"] / 1000 - __import__("time").time()) < 5
    rules = session.get_instruments_info(**LINEAR)["result"]["list"][0]
    equal((rules["symbol"], rules["priceFilter"]["tickSize"]), (SYMBOL, "0.1"), "rules")
    until("a first price", lambda: float(session.get_tickers(**LINEAR)["result"]["list"][0]["lastPrice"]) > 0)
    book = session.get_orderbook(**LINEAR, limit=50)["result"]
    assert float(book["b"][0][0]) < float(book["a"][0][0])
    assert len(session.get_kline(**LINEAR, interval="1", limit=3)["result"]["list"]) >= 1
    until("a trade", lambda: session.get_public_trade_history(**LINEAR, limit=5)["result"]["list"])
    equal(session.get_funding_rate_history(**LINEAR, limit=2)["retCode"], 0, "funding")
    equal(session.get_risk_limit(**LINEAR)["retCode"], 0, "risk limit")
    limits = session.get_price_limit(**LINEAR)["result"]
    assert float(limits["sellLmt"]) < float(book["b"][0][0]) < float(limits["buyLmt"])
    told("market data")


def account(session):
    info = session.get_api_key_information()["result"]
    equal((info["readOnly"], info["apiKey"], info["uta"]), (0, KEY, 1), "key")
    equal(session.get_account_info()["result"]["unifiedMarginStatus"], 6, "account")
    coin = session.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]["coin"][0]
    assert float(coin["walletBalance"]) > 0
    assert float(session.get_fee_rates(**LINEAR)["result"]["list"][0]["takerFeeRate"]) > 0
    told("account and wallet")


def errors(session, price):
    refused(10004, http(secret="wrong").get_account_info)
    refused(10003, http(key="nobody").get_account_info)
    order = {**LINEAR, "side": "Buy", "orderType": "Limit", "price": f"{price * 0.8:.1f}"}
    error = refused(110001, session.cancel_order, **LINEAR, orderLinkId="nowhere")
    assert "order not exists or too late to cancel" in error.message, error.message
    refused(110017, session.place_order, **{**order, "side": "Sell", "qty": "0.01", "reduceOnly": True})
    error = refused(110007, session.place_order, **{**order, "qty": "150"})
    assert "ab not enough for new order" in error.message, error.message
    equal(session.place_order(**order, qty="0.01", orderLinkId="pb-twice")["retCode"], 0, "first")
    error = refused(110072, session.place_order, **order, qty="0.01", orderLinkId="pb-twice")
    assert "OrderLinkedID is duplicate" in error.message, error.message
    session.cancel_order(**LINEAR, orderLinkId="pb-twice")
    late = http(recv_window=5000)
    late_stamp = pybit._helpers.generate_timestamp
    try:
        pybit._helpers.generate_timestamp = lambda: late_stamp() - 20_000
        error = refused(10002, late.get_account_info)
    finally:
        pybit._helpers.generate_timestamp = late_stamp
    assert "req_timestamp[" in error.message and "server_timestamp[" in error.message, error.message
    try:
        HTTP(api_key=KEY, api_secret=SECRET)  # Never asked: only the address below is.
        urllib.request.urlopen(REST + "/v5/nowhere")
        raise AssertionError("a path that is not there was answered")
    except urllib.error.HTTPError as error:
        equal(error.code, 404, "status")
    told("errors")


def orders(session, price):
    stream = WebSocket(channel_type="private", testnet=False, api_key=KEY, api_secret=SECRET)
    orders, fills, positions, wallets, fast = [], [], [], [], []
    stream.order_stream(lambda message: orders.extend(message["data"]))
    stream.execution_stream(lambda message: fills.extend(message["data"]))
    stream.fast_execution_stream(lambda message: fast.extend(message["data"]))
    stream.position_stream(lambda message: positions.extend(message["data"]))
    stream.wallet_stream(lambda message: wallets.extend(message["data"]))

    def seen(link, status):
        return until(f"{link} to be {status}", lambda: [
            row for row in orders if (row["orderLinkId"], row["orderStatus"]) == (link, status)
        ])[0]

    low = f"{price * 0.9:.1f}"
    rest = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "0.010", "price": low, "positionIdx": 0}
    names = session.place_order(**rest, orderLinkId="pb-1", timeInForce="GTC")["result"]
    equal(names["orderLinkId"], "pb-1", "name")
    equal(seen("pb-1", "New")["orderId"], names["orderId"], "order in the stream")
    session.amend_order(**LINEAR, orderLinkId="pb-1", qty="0.020")
    until("the amend", lambda: [row for row in orders if row["qty"] == "0.02" or row["qty"] == "0.020"])
    equal(len(session.get_open_orders(**LINEAR)["result"]["list"]), 1, "open orders")
    session.cancel_order(**LINEAR, orderId=names["orderId"])
    cancelled = seen("pb-1", "Cancelled")
    equal((cancelled["cancelType"], cancelled["rejectReason"]), ("CancelByUser", "EC_PerCancelRequest"), "why")

    session.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.010", orderLinkId="pb-2")
    seen("pb-2", "Filled")
    fill = until("the fill", lambda: [row for row in fills if row["orderLinkId"] == "pb-2"])[0]
    assert float(fill["execFee"]) > 0
    until("the fast fill", lambda: [row for row in fast if row["execId"] == fill["execId"]])
    until("the position", lambda: [row for row in positions if row["size"] in ("0.01", "0.010")])
    until("the wallet", lambda: wallets)
    position = session.get_positions(**LINEAR)["result"]["list"][0]
    equal((position["side"], float(position["size"])), ("Buy", 0.01), "position")
    session.set_trading_stop(**LINEAR, tpslMode="Full", stopLoss=f"{price * 0.5:.1f}", positionIdx=0)
    refused(34040, session.set_trading_stop, **LINEAR, tpslMode="Full", stopLoss=f"{price * 0.5:.1f}", positionIdx=0)
    assert session.get_executions(**LINEAR, orderLinkId="pb-2")["result"]["list"]
    assert session.get_order_history(**LINEAR, orderId=names["orderId"])["result"]["list"]
    session.place_order(**LINEAR, side="Sell", orderType="Market", qty="0.010", reduceOnly=True, orderLinkId="pb-3")
    seen("pb-3", "Filled")
    session.set_leverage(**LINEAR, buyLeverage="7", sellLeverage="7")
    refused(110043, session.set_leverage, **LINEAR, buyLeverage="7", sellLeverage="7")
    told("orders, positions, leverage and the private stream")

    batch = [{key: value for key, value in rest.items() if key != "category"} | {"orderLinkId": f"pb-b{n}"} for n in range(3)]
    batch[1]["qty"] = "0"
    made = session.place_batch_order(category="linear", request=batch)
    equal([item["code"] for item in made["retExtInfo"]["list"]], [0, 10001, 0], "codes of the batch")
    equal([bool(row["orderId"]) for row in made["result"]["list"]], [True, False, True], "names of the batch")
    changes = [{"symbol": SYMBOL, "orderLinkId": f"pb-b{n}", "qty": "0.03"} for n in (0, 2)]
    changed = session.amend_batch_order(category="linear", request=changes)
    equal([item["code"] for item in changed["retExtInfo"]["list"]], [0, 0], "codes of the amends")
    gone = [{"symbol": SYMBOL, "orderLinkId": f"pb-b{n}"} for n in (0, 1)]
    ended = session.cancel_batch_order(category="linear", request=gone)
    equal([item["code"] for item in ended["retExtInfo"]["list"]], [0, 110001], "codes of the cancels")
    left = session.cancel_all_orders(**LINEAR)["result"]
    equal((len(left["list"]), left["success"]), (1, "1"), "what was left")
    told("batches")


def trade_stream(price):
    stream = WebSocketTrading(testnet=False, api_key=KEY, api_secret=SECRET)
    answers = []
    order = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "0.010", "price": f"{price * 0.9:.1f}"}

    def answer(ask, *arguments, **options):
        before = len(answers)
        ask(answers.append, *arguments, error_callback=answers.append, **options)
        return until("an answer", lambda: answers[before:])[0]

    made = answer(stream.place_order, **order, orderLinkId="pb-w1")
    equal((made["retCode"], made["op"], made["data"]["orderLinkId"]), (0, "order.create", "pb-w1"), "create")
    assert int(made["header"]["X-Bapi-Limit"]) > 0
    equal(answer(stream.place_order, **order, orderLinkId="pb-w1")["retCode"], 110072, "twice")
    equal(answer(stream.amend_order, **LINEAR, orderLinkId="pb-w1", qty="0.02")["retCode"], 0, "amend")
    equal(answer(stream.cancel_order, **LINEAR, orderLinkId="pb-w1")["retCode"], 0, "cancel")
    equal(answer(stream.cancel_order, **LINEAR, orderLinkId="pb-w1")["retCode"], 110001, "gone")
    one = {key: value for key, value in order.items() if key != "category"}
    batch = [one | {"orderLinkId": f"pb-w{n}"} for n in (2, 3)]
    made = answer(stream.place_batch_order, category="linear", request=batch)
    equal([item["code"] for item in made["retExtInfo"]["list"]], [0, 0], "codes of the batch")
    gone = [{"symbol": SYMBOL, "orderLinkId": f"pb-w{n}"} for n in (2, 3)]
    ended = answer(stream.cancel_batch_order, category="linear", request=gone)
    equal([item["code"] for item in ended["retExtInfo"]["list"]], [0, 0], "codes of the cancels")
    told("trade stream")


def public_streams():
    stream = WebSocket(channel_type="linear", testnet=False)
    books, trades, tickers, candles, limits = [], [], [], [], []
    stream.orderbook_stream(50, SYMBOL, books.append)
    stream.trade_stream(SYMBOL, trades.append)
    stream.ticker_stream(SYMBOL, tickers.append)
    stream.kline_stream(1, SYMBOL, candles.append)
    stream.price_limit_stream(SYMBOL, limits.append)
    # pybit keeps the book itself and fails on a delete of a level that is not there.
    until("books", lambda: len(books) > 50)
    for messages in (trades, tickers, candles, limits):
        until("messages", lambda: len(messages) > 1)
    assert all(json.dumps(message) for message in books)
    assert float(tickers[-1]["data"]["markPrice"]) > 0
    told("public streams")


def main():
    session = http()
    market(session)
    account(session)
    price = float(session.get_tickers(**LINEAR)["result"]["list"][0]["lastPrice"])
    errors(session, price)
    orders(session, price)
    trade_stream(price)
    public_streams()


if __name__ == "__main__":
    run(main)
