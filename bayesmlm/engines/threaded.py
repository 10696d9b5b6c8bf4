"""nutpie on a compiled C function: chains run in its threads, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.callback import COPY_SIGNATURE, Callback, address_of, copy_callback
from bayesmlm.density.threads import one_blas_thread
from bayesmlm.engines.progress import Progress, chain_report
from bayesmlm.engines.sampled import complete

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

VARIABLE = "theta"


def sample_callback(
    target: Callback,
    start: Callable[[int], Array],
    options: dict[str, Any],
    seed: int,
    progress: Progress,
) -> xr.DataTree:
    """Sample a density given as a C function.

    Parameters
    ----------
    target
        The log posterior of theta.
    start
        A function of a seed that gives a start of a chain, shape (size,).
    options
        Of `nutpie.sample`: draws, tune, chains, cores, target_accept, maxdepth.
    seed, progress
        As of `Engine.fit`.

    Returns
    -------
    xarray.DataTree
        Draws ``theta`` of dims (chain, draw, theta_dim_0), and the sampler's statistics.
    """
    from nutpie import sample

    update = progress.counter("sample")
    with progress.stage("sample", drawn=False), one_blas_thread():
        tree = sample(
            compiled_model(target, start),
            seed=seed,
            save_warmup=False,
            progress_bar=False,
            progress_callback=chain_report(update),
            **options,
        )
    complete(update, tree, options)
    return tree


def compiled_model(target: Callback, start: Callable[[int], Array]) -> Any:
    """Return a C function in the form that nutpie samples.

    nutpie offers this form to PyMC's compiled graphs alone, through a private module; its
    public interface calls Python, where four chains take longer than one after another.
    """
    from nutpie import _lib
    from nutpie.sample import CompiledModel

    class DensityModel(CompiledModel):  # type: ignore[misc, unused-ignore]
        """A log posterior and its gradient as a C function."""

        @property
        def n_dim(self) -> int:
            """Length of theta."""
            return target.size

        @property
        def shapes(self) -> dict[str, tuple[int, ...]]:
            """Shape of a draw."""
            return {VARIABLE: (target.size,)}

        @property
        def coords(self) -> dict[str, Any]:
            """No labels."""
            return {}

        def _make_model(self, init_mean: Any) -> Any:
            table = target.table.ctypes.data
            density = _lib.LogpFunc(target.function, table, target)
            copy = address_of(copy_callback, COPY_SIGNATURE)
            stored = _lib.ExpandFunc(target.size, target.size, copy, table, target)
            sizes: dict[str, int] = {}  # nutpie adds a dimension to it
            variables = _lib.PyVariable.new_variables(
                [VARIABLE], ["float64"], [[target.size]], sizes, {}
            )
            return _lib.PyMcModel(
                density, stored, variables, target.size, sizes, {}, start, no_adapter
            )

        def _make_sampler(
            self,
            settings: Any,
            init_mean: Any,
            cores: int,
            progress_type: Any,
            callback: Any,
            rate: int,
            store: Any,
        ) -> Any:
            model = self._make_model(init_mean)
            return _lib.PySampler.from_pymc(
                settings, cores, model, progress_type, callback, rate, store
            )

    return DensityModel(dims={})


def no_adapter(*_: Any, **__: Any) -> Any:
    """Stand in for the normalising flow that only another kind of adaptation asks for."""
    raise NotImplementedError("bayesmlm samples with a diagonal mass matrix")
