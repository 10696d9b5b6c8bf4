"""Fits side by side, whatever engine made them: `compare_fits`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bayesmlm.errors import StatisticError, message
from bayesmlm.fit import Fit
from bayesmlm.reports.comparison import Comparison, comparison


def compare_fits(
    fits: Sequence[Fit] | Mapping[str, Fit], names: Sequence[str] | None = None
) -> Comparison:
    """Put fits side by side: ML, REML and Bayesian, nested models or the same one.

    Parameters
    ----------
    fits
        Two or more; a mapping gives their names.
    names
        One a fit; None names them by their engines, with a number where two have one.

    Returns
    -------
    Comparison
        Prints as text, shows as HTML; ``.frame`` has the unrounded numbers, ``.latex()``.

    Raises
    ------
    StatisticError
        Without fits, with names that are not one a fit, or with fits of different outcomes.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    >>> mlm.compare_fits([model.fit("ml"), model.fit("laplace", seed=1)])  # doctest: +SKIP
    """
    if isinstance(fits, Mapping):
        names, fits = list(fits), list(fits.values())
    held = list(fits)
    wrong = [each for each in held if not isinstance(each, Fit)]
    if wrong or not held:
        got = f"a {type(wrong[0]).__name__}" if wrong else "no fits"
        raise StatisticError(message(got, "fits", "pass what model.fit(…) returned"))
    outcomes = {fit.result.spec.response.column for fit in held}
    if len(outcomes) > 1:
        raise StatisticError(
            message(
                f"fits of different outcomes: {', '.join(sorted(outcomes))}",
                "fits of one outcome",
                "compare them one outcome at a time",
            )
        )
    given = default_names(held) if names is None else list(names)
    if len(given) != len(held) or len(set(given)) < len(given):
        raise StatisticError(
            message(
                f"names={given!r} of {len(held)} fits", "one name a fit, all different", "rename"
            )
        )
    return comparison({name: fit.result for name, fit in zip(given, held, strict=True)})


def default_names(fits: Iterable[Fit]) -> list[str]:
    """Return the engines' names, numbered where one occurs more than once."""
    engines = [type(fit.result.engine).__name__ for fit in fits]
    seen: dict[str, int] = {}
    names = []
    for engine in engines:
        seen[engine] = seen.get(engine, 0) + 1
        names.append(f"{engine} {seen[engine]}" if engines.count(engine) > 1 else engine)
    return names
