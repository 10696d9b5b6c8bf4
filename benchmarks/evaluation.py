"""What one evaluation of the marginal density costs: ``python -m benchmarks.evaluation ROWS``.

After the one pass over the rows it should not depend on their number.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.events import tell
from benchmarks.simulate import two_level
from benchmarks.workloads import GROUPS

SIZES = (1_000_000, 10_000_000)
BATCH, REPEATS = 16, 5


def main(rows: int) -> None:
    """Time the one pass, a batch of evaluations, and one gradient."""
    import bayesmlm as mlm
    from bayesmlm.density import gaussian_marginal
    from bayesmlm.density.posterior import posterior
    from bayesmlm.engines.start import starting_point

    model = mlm.Model("y ~ x + (x | group)", two_level(rows, GROUPS, 1))
    started = time.perf_counter()
    marginal = gaussian_marginal(model.design, model.prior_values)
    one_pass = time.perf_counter() - started
    point = starting_point(marginal)
    rng = np.random.default_rng(1)
    batch = point + 0.01 * rng.standard_normal((BATCH, len(point)))
    density = posterior(marginal)
    tell(
        "result",
        rows=rows,
        groups=GROUPS,
        one_pass_seconds=one_pass,
        evaluation_seconds=median_of(lambda: marginal.log_density(batch)) / BATCH,
        gradient_seconds=median_of(lambda: density(point)),
    )


def median_of(call: Callable[[], object]) -> float:
    """Return the median seconds of some calls, after one that compiles."""
    call()
    spent = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return float(np.median(spent))


if __name__ == "__main__":
    main(int(sys.argv[1]))
