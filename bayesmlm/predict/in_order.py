"""Work on pieces of the rows in a few threads, its results in order.

NumPy releases the interpreter lock in what takes time here. No more results wait than there
are threads, so that what is held does not grow with the number of pieces, and few threads run
whatever the machine has, as each holds some arrays of `bayesmlm.predict.predictor.CHUNK`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from bayesmlm.density.threads import n_threads, one_blas_thread

MOST = 2
"""Threads at most."""


def in_order[T, R](work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
    """Yield ``work(piece)`` for every piece, in order."""
    workers = min(MOST, n_threads())
    waiting: deque[Future[R]] = deque()
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, piece))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
