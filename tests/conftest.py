"""What every test shares: the environment of the numeric libraries, Hypothesis, shared data."""

import os

# Read by the libraries when they are first imported, so set before anything else. Test processes
# run side by side: more than one BLAS thread in each makes them slower, by a factor, not a little.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("PYTENSOR_FLAGS", "blas__ldflags=")  # else a search for BLAS, and a warning
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["COLUMNS"] = "100"  # the width of printed tables, whatever the terminal

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine and in every run: a red test stays red. To look for new
# counterexamples: HYPOTHESIS_PROFILE=explore.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def _shared(folder: str) -> Path:
    """Give a folder of the material kept beside the repository, or skip."""
    root = os.environ.get("BAYESMLM_SHARED")
    base = Path(root) if root else Path(__file__).resolve().parents[2] / "shared"
    path = base / folder
    if not path.is_dir():
        pytest.skip(f"needs {folder}/ of the shared material: set BAYESMLM_SHARED to its folder")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the classic data sets (CSV files)."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of reference results (lme4, published tables, long MCMC runs)."""
    return _shared("reference")


@pytest.fixture
def make_result():
    """Return a function that gives a FitResult with draws that the test states.

    Of a model and of arrays by variable name, each of shape (chain, draw, …), without sampling.
    """
    import xarray as xr

    from bayesmlm import names
    from bayesmlm.engines import NUTS
    from bayesmlm.result import FitResult

    def make(model, **draws):
        design = model.design
        dims = {names.BETA: (names.COEF,), names.SIGMA: ()}
        coords = {names.COEF: list(design.coef)}
        for parameter in design.parameters:
            dims[parameter.name] = (names.THRESHOLD,) if parameter.labels else ()
            coords[names.THRESHOLD] = list(parameter.labels)
        for part in design.further:
            beta, coef = (names.of_parameter(n, part.target) for n in (names.BETA, names.COEF))
            dims[beta], coords[coef] = (coef,), list(part.coef)
        for block in design.blocks:
            group, effect = block.dim, names.effect_dim(block.name)
            coords |= {group: list(block.grouping.labels), effect: list(block.effects)}
            dims |= {names.sd(block.name): (effect,), names.effects(block.name): (group, effect)}
            if block.pairs:
                coords[names.pair_dim(block.name)] = list(block.pair_labels)
                dims[names.corr(block.name)] = (names.pair_dim(block.name),)
        arrays = {
            name: xr.DataArray(
                value,
                dims=("chain", "draw", *dims[name]),
                coords={dim: coords[dim] for dim in dims[name]},
            )
            for name, value in draws.items()
        }
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(arrays)})
        return FitResult(
            spec=model.spec,
            design=design,
            priors=model.prior_values,
            tree=tree,
            engine=NUTS(),
            seed=1,
            seconds={"sample": 1.0},
        )

    return make
