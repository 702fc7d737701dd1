"""Drives the paper exchange with ccxt, by REST and by its WebSockets, as ccxt drives Bybit."""

import asyncio

import ccxt
import ccxt.pro
from checks import KEY, REST, SECRET, WS, equal, run, told

SYMBOL = "BTC/USDT:USDT"


def pointed(exchange):
    """Points an exchange at the paper exchange, and to the categories it has."""
    for name in ("public", "private", "spot", "futures", "v2"):
        if name in exchange.urls["api"]:
            exchange.urls["api"][name] = REST
    exchange.options["fetchMarkets"] = {"types": ["linear", "spot"]}
    exchange.urls["api"]["ws"] = {
        "public": {name: f"{WS}/v5/public/{name}" for name in ("spot", "linear", "inverse", "option")},
        "private": {
            "spot": {"unified": f"{WS}/v5/private", "nonUnified": f"{WS}/v5/private"},
            "contract": f"{WS}/v5/private",
            "usdc": f"{WS}/v5/private",
            "trade": f"{WS}/v5/trade",
        },
    }
    return exchange


def refused(kind, code, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        assert f'"retCode":{code}' in str(error), f"{error} is not {code}"
        return
    raise AssertionError(f"{call.__name__} was not refused")


def rest():
    exchange = pointed(ccxt.bybit({"apiKey": KEY, "secret": SECRET}))
    markets = exchange.load_markets()
    equal(markets[SYMBOL]["precision"]["price"], 0.1, "tick")
    assert abs(exchange.fetch_time() - exchange.milliseconds()) < 5000
    ticker = exchange.fetch_ticker(SYMBOL)
    price = ticker["last"]
    book = exchange.fetch_order_book(SYMBOL, 50)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_ohlcv(SYMBOL, "1m", limit=3)
    exchange.fetch_trades(SYMBOL, limit=5)
    exchange.fetch_funding_rate_history(SYMBOL, limit=2)
    exchange.fetch_funding_rate(SYMBOL)
    told("market data")

    assert exchange.fetch_balance()["USDT"]["total"] > 0
    assert exchange.fetch_trading_fee(SYMBOL)["taker"] > 0
    low = exchange.price_to_precision(SYMBOL, price * 0.9)
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, low, {"clientOrderId": "cx-1"})
    opened = exchange.fetch_open_orders(SYMBOL)
    equal([row["clientOrderId"] for row in opened], ["cx-1"], "open orders")
    exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, low)
    equal(exchange.fetch_open_order(order["id"], SYMBOL)["amount"], 0.02, "amended")
    exchange.cancel_order(order["id"], SYMBOL)
    equal(exchange.fetch_closed_order(order["id"], SYMBOL)["status"], "canceled", "cancelled")
    told("orders")

    exchange.create_order(SYMBOL, "market", "buy", 0.01)
    position = exchange.fetch_position(SYMBOL)
    equal((position["side"], position["contracts"]), ("long", 0.01), "position")
    equal(len(exchange.fetch_positions([SYMBOL])), 1, "positions")
    assert exchange.fetch_my_trades(SYMBOL)[-1]["fee"]["cost"] > 0
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    exchange.set_leverage(6, SYMBOL)
    told("positions and leverage")

    batch = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": low, "params": {"clientOrderId": f"cx-b{n}"}}
        for n in range(2)
    ]
    made = exchange.create_orders(batch)
    equal([row["clientOrderId"] for row in made], ["cx-b0", "cx-b1"], "batch")
    exchange.cancel_orders([row["id"] for row in made], SYMBOL)
    exchange.create_orders([{**batch[0], "params": {"clientOrderId": "cx-b2"}}])
    exchange.cancel_all_orders(SYMBOL)
    equal(exchange.fetch_open_orders(SYMBOL), [], "nothing is left")
    told("batches")

    refused(ccxt.OrderNotFound, 110001, exchange.cancel_order, "nowhere", SYMBOL)
    refused(ccxt.InsufficientFunds, 110007, exchange.create_order, SYMBOL, "limit", "buy", 150, low)
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, low, {"clientOrderId": "cx-2"})
    refused(ccxt.InvalidOrder, 110072, exchange.create_order, SYMBOL, "limit", "buy", 0.01, low, {"clientOrderId": "cx-2"})
    refused(ccxt.InvalidOrder, 110017, exchange.create_order, SYMBOL, "limit", "sell", 0.01, low, {"reduceOnly": True})
    exchange.cancel_all_orders(SYMBOL)
    stranger = pointed(ccxt.bybit({"apiKey": KEY, "secret": "wrong"}))
    refused(ccxt.AuthenticationError, 10004, stranger.private_get_v5_account_info)
    exchange.options["timeDifference"] = 20_000
    refused(ccxt.InvalidNonce, 10002, exchange.private_get_v5_account_info)
    told("errors")
    return price


async def opened(exchange):
    """The position that is opened next. What comes first is a snapshot of none."""
    while True:
        for position in await exchange.watch_positions([SYMBOL]):
            if position["contracts"]:
                return position


async def sockets(price):
    exchange = pointed(ccxt.pro.bybit({"apiKey": KEY, "secret": SECRET}))
    await exchange.load_markets()

    async def soon(awaited):
        return await asyncio.wait_for(awaited, 20)

    for _ in range(20):
        book = await soon(exchange.watch_order_book(SYMBOL, 50))
        assert book["bids"][0][0] < book["asks"][0][0]
    await soon(exchange.watch_trades(SYMBOL))
    for _ in range(3):
        assert (await soon(exchange.watch_ticker(SYMBOL)))["last"] > 0
    await soon(exchange.watch_ohlcv(SYMBOL, "1m"))
    told("public streams")

    # The first orders arrive while ccxt is listening; each watch begins before what it watches.
    watched = {
        name: asyncio.ensure_future(watch)
        for name, watch in {
            "orders": exchange.watch_orders(SYMBOL),
            "fills": exchange.watch_my_trades(SYMBOL),
            "positions": opened(exchange),
            "balance": exchange.watch_balance(),
        }.items()
    }
    await asyncio.sleep(1)
    made = await soon(exchange.create_order(SYMBOL, "market", "buy", 0.01))
    assert any(row["id"] == made["id"] for row in await soon(watched["orders"]))
    assert any(row["order"] == made["id"] for row in await soon(watched["fills"]))
    equal((await soon(watched["positions"]))["contracts"], 0.01, "position")
    assert (await soon(watched["balance"]))["USDT"]["total"] > 0
    await exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    told("private streams")

    low = exchange.price_to_precision(SYMBOL, price * 0.9)
    made = await soon(exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, low, {"clientOrderId": "cx-w1"}))
    equal(made["clientOrderId"], "cx-w1", "created")
    await soon(exchange.edit_order_ws(made["id"], SYMBOL, "limit", "buy", 0.02, low))
    await soon(exchange.cancel_order_ws(made["id"], SYMBOL))
    try:
        await soon(exchange.cancel_order_ws(made["id"], SYMBOL))
        raise AssertionError("an order was cancelled twice")
    except ccxt.OrderNotFound as error:
        assert "110001" in str(error), error
    told("trade stream")
    await exchange.close()


def main():
    price = rest()
    asyncio.run(sockets(price))


if __name__ == "__main__":
    run(main)
