"""With the priors stated beside them, fits hit long NUTS runs of Stan within Monte Carlo error.

Every mean and 5, 50 and 95 % quantile is compared in units of the combined Monte Carlo
standard error, against a Bonferroni bound at 1e-3 over all figures of the model.
"""

import pytest

pytestmark = pytest.mark.slow

GAUSSIAN = (
    "hsb_slopes_outcomes",
    "sleepstudy_slope",
    "radon_slope_uranium",
    "mlbook_slope",
    "mlbook_crosslevel",
    "penicillin_crossed",
    "dyestuff2",
)
OTHERS = (
    "election88_simple",
    "cbpp",
    "bugs_seeds_halfnormal",
    "bugs_epil2",
    "rodgold_sim01",
)
ACCEPTANCE = {"dyestuff2": 0.99, "penicillin_crossed": 0.99}


INTEGRATED = {"random_effects": "integrate"}
EXPLICIT = {"random_effects": "sample", "backend": "density"}
GRAPH = {"random_effects": "sample", "backend": "graph"}
ROUTES = [
    *((name, INTEGRATED) for name in GAUSSIAN),
    *((name, EXPLICIT) for name in GAUSSIAN + OTHERS),
    *((name, GRAPH) for name in ("sleepstudy_slope", *OTHERS)),
]


@pytest.mark.parametrize(("name", "route"), ROUTES)
def test_means_and_quantiles_agree_with_stan(name, route, stated):
    model, compare = stated(name)
    compare(
        model.fit(
            "nuts",
            seed=7,
            draws=2500,
            target_accept=ACCEPTANCE.get(name, 0.95),
            max_treedepth=12,
            **route,
        )
    )
