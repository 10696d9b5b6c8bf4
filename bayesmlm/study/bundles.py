"""All studies at once: the designs in bundles, a process each."""

from __future__ import annotations

from concurrent.futures import Executor, Future, as_completed

import numpy as np

from bayesmlm.engines import Progress
from bayesmlm.parallel import processes_or
from bayesmlm.study.simulated import Outcome, Question, studies

ROWS = 3000
"""Rows whose fit takes as long as what every fit needs, roughly."""


def bundles(designs: list[tuple[int, int]], count: int) -> list[list[tuple[int, int]]]:
    """Return the designs in so many bundles of much the same work."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    work = [0.0] * count
    for J, n in sorted(designs, key=lambda pair: -pair[0] * pair[1]):
        at = int(np.argmin(work))
        found[at].append((J, n))
        work[at] += ROWS + J * n
    return [each for each in found if each]


def bundle(
    question: Question, designs: list[tuple[int, int]], simulations: int, seed: int
) -> dict[tuple[int, int], Outcome]:
    """Simulate and fit the studies of several designs."""
    return {pair: studies(question, *pair, simulations, seed) for pair in designs}


def run(
    question: Question,
    designs: list[tuple[int, int]],
    simulations: int,
    seed: int,
    workers: int,
    executor: Executor | None,
    progress: Progress,
) -> dict[tuple[int, int], Outcome]:
    """Run all studies: a process starts in seconds, and does many designs."""
    total = simulations * len(designs)
    with progress.running():
        update = progress.counter(f"{total:,} studies")
        done = 0

        def listen(more: int) -> None:
            nonlocal done
            done += more
            if update is not None:
                update(min(done, total), total, "")

        waiting: list[Future[dict[tuple[int, int], Outcome]]] = []
        with processes_or(executor, workers, listen) as pool:
            try:
                for pairs in bundles(designs, workers):
                    waiting.append(pool.submit(bundle, question, pairs, simulations, seed))
                return {
                    p: own for each in as_completed(waiting) for p, own in each.result().items()
                }
            finally:
                for each in waiting:
                    each.cancel()
