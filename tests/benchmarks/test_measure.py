import numpy as np
import pytest

from benchmarks.measure import record_of
from benchmarks.process import Outcome


def calls(*seconds):
    return [{"event": "call", "seconds": value, "peak_mb": 10.0 * value} for value in seconds]


def test_seconds_are_the_median_after_the_first_call(tmp_path):
    result = {"event": "result", "min_ess": 600.0, "min_ess_of": "beta", "ess_rule": "weights"}
    outcome = Outcome([*calls(9.0, 2.0, 1.0, 3.0), result], children_mb=5.0)
    record = record_of(outcome, tmp_path)
    assert (record["first_seconds"], record["seconds"]) == (9.0, 2.0)
    assert record["min_ess_per_second"] == pytest.approx(300.0)
    assert (record["peak_mb"], record["children_mb"]) == (90.0, 5.0)


def test_the_only_call_counts(tmp_path):
    assert record_of(Outcome(calls(4.0)), tmp_path)["seconds"] == 4.0


def test_ess_is_found_from_draws(tmp_path):
    np.random.default_rng(1).standard_normal((4, 500, 2)).tofile(tmp_path / "draws.bin")
    result = {"event": "result", "shape": [4, 500, 2], "names": ["a", "b"]}
    record = record_of(Outcome([*calls(2.0, 2.0), result]), tmp_path)
    assert record["min_ess_per_second"] == pytest.approx(record["min_ess"] / 2)
    assert record["ess_rule"] == "bulk"


def test_a_run_that_never_called_is_over(tmp_path):
    record = record_of(Outcome(state="over", reason="over 5 s"), tmp_path)
    assert record == {"state": "over", "reason": "over 5 s"}
