"""The evidence lower bound (ELBO) maximised by stochastic gradients, until it stands still.

Adam runs at a learning rate until the mean ELBO of a window of iterations no longer rises
above that of the window before, then at the next, smaller one. The parameters are the mean of
the iterates of the last windows, which is far closer to the optimum than any one iterate.

References
----------
Kingma & Ba (2015), arXiv:1412.6980; Welandawe, Andersen, Vehtari & Huggins (2024), Journal of
Machine Learning Research 25, 18, on fixed learning rates in turn and averaged iterates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATES = (0.1, 0.03, 0.01, 0.003)
"""Learning rates in turn."""

WINDOW = 1000
"""Iterations whose mean ELBO is compared with that of the window before."""

AVERAGED = 2
"""Windows of the last rate that are averaged."""

TOLERANCE = 0.02
"""Rise of the ELBO, in nats, that counts as none."""

NOISE = 2.0
"""Standard errors of a difference between windows that count as none."""

REPORT = 100
"""Iterations between two reports."""


@dataclass(frozen=True)
class Climb:
    """The way up.

    Parameters
    ----------
    elbo
        One noisy estimate an iteration, shape (iterations,).
    parameters
        Of the approximation, by PyMC's names, averaged.
    rise
        Rise of the mean ELBO over the last window, in nats; NaN with one window.
    settled
        Whether it stood still at every rate.
    """

    elbo: Array
    parameters: dict[str, Array]
    rise: float
    settled: bool


class Average:
    """The mean of the parameters of every iteration since it was last started."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: dict[str, Array] = {}

    def add(self, approximation: Any) -> None:
        """Add the parameters as they are."""
        for name, variable in approximation.groups[0].params_dict.items():
            self.sums[name] = self.sums.get(name, 0.0) + variable.get_value()
        self.count += 1

    @property
    def values(self) -> dict[str, Array]:
        """The means, by name."""
        return {name: np.asarray(total / self.count) for name, total in self.sums.items()}


def climb(inference: Any, limit: int, report: Callable[[int, int, str], None] | None) -> Climb:
    """Maximise the ELBO of a `pymc` inference.

    Parameters
    ----------
    inference
        `pymc.ADVI` or `pymc.FullRankADVI`, not yet fitted.
    limit
        Iterations at most.
    report
        Called with iterations done, the limit and the ELBO as text.

    Raises
    ------
    FloatingPointError
        If the ELBO is not a number.
    KeyboardInterrupt
        If interrupted, which PyMC takes for the end.
    """
    import pymc as pm
    import pytensor

    rate = pytensor.shared(np.float64(RATES[0]), name="learning_rate")
    averages = [Average()]

    def follow(approximation: Any, losses: Array, _: int) -> None:
        averages[-1].add(approximation)
        done = len(inference.hist) + len(losses)
        if report is not None and done % REPORT == 0:
            report(done, limit, f"ELBO {-losses[-REPORT:].mean():,.1f}")

    def advance(windows: int) -> None:
        averages.append(Average())
        if inference.state is None:
            optimiser = pm.adam(learning_rate=rate)
            inference.fit(WINDOW, obj_optimizer=optimiser, callbacks=[follow], progressbar=False)
        else:
            inference.refine(WINDOW, progressbar=False)
        if len(inference.hist) < windows * WINDOW:
            raise KeyboardInterrupt

    windows, settled, rise = 0, False, np.nan
    most = max(limit // WINDOW, 1)
    for k, value in enumerate(RATES):
        rate.set_value(np.float64(value))
        first, settled = windows, False
        needed = AVERAGED if k == len(RATES) - 1 else 1
        while windows < most and not settled:
            advance(windows := windows + 1)
            rise, error = last_rise(-inference.hist)
            settled = windows - first > needed and rise < max(TOLERANCE, NOISE * error)
    last = averages[-AVERAGED:] if windows - first >= AVERAGED else averages[-1:]
    means = {name: np.mean([each.values[name] for each in last], axis=0) for name in last[0].sums}
    return Climb(-np.asarray(inference.hist), means, rise, settled)


def last_rise(elbo: Array) -> tuple[float, float]:
    """Return the rise of the mean between the last two windows, and its standard error."""
    if len(elbo) < 2 * WINDOW:
        return np.nan, np.nan
    before, after = elbo[-2 * WINDOW : -WINDOW], elbo[-WINDOW:]
    error = np.sqrt((before.var(ddof=1) + after.var(ddof=1)) / WINDOW)
    return float(after.mean() - before.mean()), float(error)
