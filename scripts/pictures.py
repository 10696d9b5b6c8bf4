"""Draw the pictures of docs/pictures.md from real data: ``make pictures``.

python scripts/pictures.py [NAME …]
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import bayesmlm as mlm

FOLDER = Path(__file__).resolve().parent.parent / "docs"
DOTS = 90

SCHOOLS = """
level 1:          mathach = b0 + b1*within(ses, school) + r
level 2 (school): b0 = g00 + g01*meanses + g02*sector + u0
                  b1 = g10 + g11*meanses + g12*sector + u1
"""


@cache
def schools():
    """Intercepts and slopes as outcomes, High School & Beyond."""
    data = mlm.datasets.load("high_school_beyond")
    return mlm.Model(mlm.equations(SCHOOLS), data).fit("laplace", seed=1)


@cache
def two_slopes():
    """Socio-economic status within and between schools, High School & Beyond."""
    data = mlm.datasets.load("high_school_beyond")
    formula = "mathach ~ within(ses, school) + between(ses, school) + (1 | school)"
    return mlm.Model(formula, data).fit("laplace", seed=1)


@cache
def sleep():
    """Reaction times of 18 subjects over ten days of little sleep."""
    data = mlm.datasets.load("sleepstudy")
    return mlm.Model("Reaction ~ Days + (Days | Subject)", data).fit("laplace", seed=1)


@cache
def radon():
    """Radon in the houses of 85 counties of Minnesota."""
    data = mlm.datasets.load("radon")
    return mlm.Model("y ~ floor + (1 | county)", data).fit("laplace", seed=1)


@cache
def crossed():
    """Penicillin: plates crossed with samples."""
    data = mlm.datasets.load("penicillin")
    return mlm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", data).fit("laplace", seed=1)


@cache
def engines():
    """Five engines on the reaction times."""
    data = mlm.datasets.load("sleepstudy")
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", data)
    return mlm.compare_engines(model, ["nuts", "laplace", "advi", "reml", "ml"], seed=1)


@cache
def plan():
    """Studies of a treatment of whole schools."""
    values = {"Intercept": 0, "treated": 0.3, "sd_school": 0.4, "sigma": 1}
    treated = {"treated": "group binary"}
    return mlm.plan_study("y ~ treated + (1 | school)", values, treated, sizes=[10, 30], seed=1)


PICTURES: dict[str, tuple[str, Callable[[], object], str]] = {
    "caterpillar": (
        "160 schools in order; those whose 95 % interval excludes zero stand out",
        lambda: schools().plot.caterpillar(),
        "fit.plot.caterpillar()",
    ),
    "pairwise": (
        "subjects to be compared with each other: ± 1.39 SD",
        lambda: sleep().plot.caterpillar(pairwise=True),
        "fit.plot.caterpillar(pairwise=True)",
    ),
    "shrinkage-plane": (
        "intercepts and slopes, from each subject's own line to the pooled one",
        lambda: sleep().plot.shrinkage(),
        "fit.plot.shrinkage()",
    ),
    "shrinkage-schools": (
        "the same of 160 schools",
        lambda: schools().plot.shrinkage(),
        "fit.plot.shrinkage()",
    ),
    "shrinkage": (
        "counties, from the fewest houses (at the bottom) to the most",
        lambda: radon().plot.shrinkage(),
        "fit.plot.shrinkage()",
    ),
    "lines": (
        "regression lines of groups: no pooling, partial pooling, population",
        lambda: sleep().plot.lines(),
        "fit.plot.lines()",
    ),
    "lines-schools": (
        "of 160 schools, 16 from the smallest to the largest",
        lambda: schools().plot.lines(),
        "fit.plot.lines()",
    ),
    "spaghetti": (
        "subjects who were not seen, drawn from the fitted population",
        lambda: sleep().plot.spaghetti(seed=1),
        "fit.plot.spaghetti(seed=1)",
    ),
    "variance-components": (
        "SDs of plates, samples and the residual, and their shares of the variance",
        lambda: crossed().plot.variance_components(),
        "fit.plot.variance_components()",
    ),
    "variance-function": (
        "how much subjects differ, day by day",
        lambda: sleep().plot.variance_function(),
        "fit.plot.variance_function()",
    ),
    "r2": (
        "explained variance by every definition that the fit has",
        lambda: schools().plot.r2(),
        "fit.plot.r2()",
    ),
    "rights-sterba": (
        "where the variance of achievement comes from, in all and level by level",
        lambda: schools().plot.rights_sterba(),
        "fit.plot.rights_sterba()",
    ),
    "within-between": (
        "one predictor, two slopes: inside schools and between them",
        lambda: two_slopes().plot.within_between(),
        "fit.plot.within_between()",
    ),
    "qq": (
        "effects of schools against normal quantiles",
        lambda: schools().plot.qq(),
        "fit.plot.qq()",
    ),
    "scatter-matrix": (
        "the effects of schools, pair by pair",
        lambda: schools().plot.scatter_matrix(),
        "fit.plot.scatter_matrix()",
    ),
    "prior-posterior": (
        "what was assumed, and what the data made of it",
        lambda: sleep().plot.prior_posterior(),
        "fit.plot.prior_posterior()",
    ),
    "level-checks": (
        "statistics of each level among those of data replicated from the fit",
        lambda: schools().check_levels().plot(),
        "fit.check_levels().plot()",
    ),
    "engines": (
        "one model by several engines, and how far each is from NUTS",
        lambda: engines().plot(),
        "mlm.compare_engines(model, […]).plot()",
    ),
    "study": (
        "power and precision of planned studies by their numbers of schools and pupils",
        lambda: plan().plot(),
        "mlm.plan_study(…).plot()",
    ),
}
"""By file name: what it shows, how it is made, what a user writes."""

INTRODUCTION = """# The pictures

Made by `make pictures` from data that come with the package. Each is one line on any fit, or on
what compares fits or plans a study; it shows itself in a notebook and saves itself with
`.savefig("x.png")`; `backend="plotly"` or `backend="bokeh"` makes it interactive
(`pip install plotly webcolors`, or `bokeh`).
"""


def main() -> None:
    """Draw the pictures named, or all, and write the page."""
    wanted = sys.argv[1:] or list(PICTURES)
    folder = FOLDER / "pictures"
    folder.mkdir(exist_ok=True)
    for name in wanted:
        PICTURES[name][1]().savefig(folder / f"{name}.png", dpi=DOTS)
        print(f"docs/pictures/{name}.png")
    parts = [INTRODUCTION]
    for name, (what, _, code) in PICTURES.items():
        title = what[0].upper() + what[1:]
        parts.append(f"## `{code}`\n\n{title}.\n\n![{title}](pictures/{name}.png)\n")
    (FOLDER / "pictures.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
