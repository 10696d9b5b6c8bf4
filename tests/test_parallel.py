"""Processes: results, errors, deaths, words, interruption."""

import os
import subprocess
import sys
import time
from concurrent.futures import as_completed

import pytest

from bayesmlm.errors import EngineError
from bayesmlm.parallel import CORES, Processes, available_cores, tell


def test_results_come_back_and_printing_is_no_answer():
    with Processes(2) as pool:
        futures = [pool.submit(pow, 2, k) for k in range(3)]
        shown = pool.submit(print, "not an answer")
        assert {future.result() for future in as_completed(futures)} == {1, 2, 4}
        assert shown.result() is None


def test_an_error_is_raised_as_it_was():
    with Processes(1) as pool, pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result()


def test_a_process_that_dies_ends_alone():
    with Processes(2) as pool:
        dead, alive = pool.submit(os._exit, 7), pool.submit(abs, -3)
        assert alive.result() == 3
        with pytest.raises(EngineError, match="ended with status 7"):
            dead.result()


def test_what_a_task_tells_is_heard():
    heard = []
    with Processes(1, heard.append) as pool:
        pool.submit(tell, {"stage": "sample"}).result()
    assert heard == [{"stage": "sample"}]
    tell("to nobody")


def test_each_process_has_its_share(monkeypatch):
    monkeypatch.setenv(CORES, "6")
    assert available_cores() == 6
    with Processes(2) as pool:
        assert pool.submit(available_cores).result() == 3
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert pool.submit(os.getenv, "NUMBA_NUM_THREADS").result() == "3"


def test_what_the_caller_defines_in_its_script_is_refused_in_words():
    code = """
from bayesmlm.parallel import Processes
def own(): return 1
with Processes(1) as pool:
    print(type(pool.submit(own).exception()).__name__)
    print(pool.submit(abs, -1).result())  # without a guard of __main__
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["AttributeError", "1"]


def interrupted(futures):
    """Press Ctrl-C while one task runs and one waits."""
    with Processes(1) as pool:
        futures += [pool.submit(time.sleep, 60), pool.submit(time.sleep, 60)]
        while not pool.running:
            time.sleep(0.01)
        raise KeyboardInterrupt


def test_an_error_in_the_block_ends_what_runs():
    started, futures = time.perf_counter(), []
    with pytest.raises(KeyboardInterrupt):
        interrupted(futures)
    assert time.perf_counter() - started < 20
    first, second = futures
    assert isinstance(first.exception(), EngineError)
    assert second.cancelled()
