"""Work in processes of their own, one a task, behind the interface of `concurrent.futures`.

A task that kills its process (no memory, a fault in a library) ends alone. The processes are
fresh interpreters: they do not run the caller's script again, so that a script needs no
``if __name__ == "__main__"``, and nothing of the caller's threads or locks is copied. Each has
its share of the processors.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

from bayesmlm.errors import EngineError, message

CORES = "BAYESMLM_CORES"
"""Environment variable: processors that a process may use."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables of BLAS, which runs one thread under many processes."""

COMMAND = "from bayesmlm.parallel import serve; serve()"

PATIENCE = 5.0
"""Seconds that a process gets to end when it is told to."""

TOLD, DONE, FAILED = "told", "done", "failed"

_channel: BinaryIO | None = None


def available_cores() -> int:
    """Return the number of processors this process may use."""
    if os.environ.get(CORES, "").isdigit():
        return max(1, int(os.environ[CORES]))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Processes(Executor):
    """An executor that runs every task in a new process.

    Parameters
    ----------
    workers
        Processes at once.
    listen
        Called, in a thread, with what a task says through `tell`.

    Notes
    -----
    Functions, arguments and results are pickled. What a script defines itself, in
    ``__main__``, is not known to the processes: put it into a module.
    """

    def __init__(self, workers: int, listen: Callable[[Any], None] | None = None) -> None:
        self.listen = listen
        self.cores = max(1, available_cores() // workers)
        self.running: set[subprocess.Popen[bytes]] = set()
        self.lock = threading.Lock()
        self.threads = ThreadPoolExecutor(workers, thread_name_prefix="bayesmlm")
        self.stopped = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in a process; see `concurrent.futures.Executor.submit`."""
        return self.threads.submit(self.run, pickle.dumps((function, args, kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; with `cancel_futures`, the tasks that run are ended too."""
        if cancel_futures:
            with self.lock:
                self.stopped = True
                running = list(self.running)
            self.threads.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            for process in running:
                end(process)
        self.threads.shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)

    def run(self, task: bytes) -> Any:
        """Run one task and return its result, or raise its error.

        Raises
        ------
        EngineError
            If the process ends without an answer.
        """
        with tempfile.TemporaryFile() as errors:
            process = self.start(errors)
            try:
                answer = self.converse(process, task)
            finally:
                with self.lock:
                    self.running.discard(process)
                end(process)
            if answer is None:
                raise died(process.returncode, errors)
        kind, value = answer
        if kind == FAILED:
            raise value
        return value

    def start(self, errors: Any) -> subprocess.Popen[bytes]:
        """Start a process."""
        with self.lock:
            if self.stopped:
                raise CancelledError
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(self.cores),
            )
            self.running.add(process)
        return process

    def converse(self, process: subprocess.Popen[bytes], task: bytes) -> tuple[str, Any] | None:
        """Send a task, pass on what it tells, and return its answer, or None if it dies."""
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(task)
            process.stdin.close()
            while True:
                kind, value = pickle.load(process.stdout)
                if kind != TOLD:
                    return kind, value
                if self.listen is not None:
                    self.listen(value)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            return None


def processes_or(
    executor: Executor | None, workers: int, listen: Callable[[Any], None]
) -> AbstractContextManager[Executor]:
    """Return the executor given, which is not shut down afterwards, or else processes."""
    return Processes(workers, listen) if executor is None else nullcontext(executor)


def environment(cores: int) -> dict[str, str]:
    """Return the environment of a process that may use so many processors."""
    found = dict(os.environ)
    found |= dict.fromkeys(ONE_THREAD, "1")
    found |= {CORES: str(cores), "NUMBA_NUM_THREADS": str(cores)}
    found["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    return found


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process; kill it if it takes long."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def died(status: int, errors: BinaryIO) -> EngineError:
    """Return the error of a process that ended without an answer."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    last = f": {lines[-1]}" if lines else ""
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    return EngineError(
        message(
            f"the process ended {how}{last}",
            "a task that answers",
            "look at the memory; run it alone, outside the comparison, to see more",
        )
    )


def tell(said: Any) -> None:
    """Say something to the executor's `listen`; nothing elsewhere."""
    if _channel is not None:
        pickle.dump((TOLD, said), _channel)
        _channel.flush()


def serve() -> None:
    """Be the process of one task: read it, answer, end."""
    global _channel
    _channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        function, args, kwargs = pickle.load(sys.stdin.buffer)
        answer = (DONE, function(*args, **kwargs))
        data = pickle.dumps(answer)
    except Exception as error:
        data = pickle.dumps((FAILED, portable(error)))
    _channel.write(data)
    _channel.flush()


def portable(error: Exception) -> Exception:
    """Return the error, or its text where it cannot be pickled and read again."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
