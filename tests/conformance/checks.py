"""What the Python scripts share: where the exchange is, waiting, and telling what was checked."""

import os
import sys
import time
import traceback

REST = os.environ["PAPER_REST"]
WS = os.environ["PAPER_WS"]
KEY = os.environ["PAPER_KEY"]
SECRET = os.environ["PAPER_SECRET"]

PATIENCE = 20.0


def told(name):
    """Says that a part has been gone through."""
    print(f"ok {name}", flush=True)


def until(what, found):
    """Waits for `found` to return something that is true, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def equal(got, expected, what):
    assert got == expected, f"{what}: {got!r}, expected {expected!r}"


def run(main):
    """Runs a script to its end. Clients leave threads behind that would keep it from ending by itself."""
    try:
        main()
    except BaseException:  # Whatever it is, it is told and fails the run.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    told("all")
    os._exit(0)
