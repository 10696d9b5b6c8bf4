import sys
import time

import pytest

from benchmarks.events import MARK
from benchmarks.process import run, why


def python(code):
    return [sys.executable, "-c", code]


def test_events_are_heard_among_other_lines():
    code = f'print(\'hello\'); print({MARK!r} + \'{{"event": "call", "seconds": 2}}\')'
    outcome = run(python(code), seconds=60)
    assert (outcome.state, outcome.events) == ("ok", [{"event": "call", "seconds": 2}])


def test_a_run_over_its_limit_is_ended():
    started = time.monotonic()
    outcome = run(python("import time; time.sleep(60)"), seconds=1)
    assert (outcome.state, outcome.reason) == ("over", "over 1 s")
    assert time.monotonic() - started < 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_run_over_its_memory_is_ended():
    code = "import time; kept = bytearray(300 * 2**20); time.sleep(60)"
    outcome = run(python(code), seconds=30, memory_mb=200)
    assert (outcome.state, outcome.reason[:5]) == ("over", "over ")


def test_a_failure_says_what_failed():
    outcome = run(python("raise ValueError('no such column')"), seconds=60)
    assert (outcome.state, outcome.reason) == ("error", "ValueError: no such column")


def test_reasons_hold_no_paths():
    assert (
        why("Error in f(x):\n  cannot open /a/b/c.csv\n", 1) == "Error in f(x): cannot open c.csv"
    )
    assert why("", 9) == "ended with status 9"
