"""A model: a specification met with data and priors, ready to fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.checks import check_priors
from bayesmlm.density.noise import Noise
from bayesmlm.density.recover import recover
from bayesmlm.design import Levels, build_design
from bayesmlm.design.frame import read_all, read_every, snapshot
from bayesmlm.design.levels import detect_levels
from bayesmlm.engines import Engine, Progress, engine, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.families import family as family_of
from bayesmlm.fit import Fit, checked
from bayesmlm.model_graph import marginal_density, prior_predictive, pymc_model
from bayesmlm.model_inputs import check_count, check_mapping, check_same_model, resolve_spec
from bayesmlm.predict.given_parameters import given_parameters
from bayesmlm.predict.prior_draws import prior_parameters
from bayesmlm.predict.simulation import Simulation, simulate, simulate_fit
from bayesmlm.priors import Prior, describe_priors, resolve_priors
from bayesmlm.priors.lkj import LKJ
from bayesmlm.reports import Table
from bayesmlm.reports.equations import Equations
from bayesmlm.reports.level_checks import LevelChecks
from bayesmlm.reports.toml import model_toml
from bayesmlm.spec import ModelSpec

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr


class Model:
    """A multilevel model of a data frame.

    Parameters
    ----------
    spec
        From `formula` or `equations`; a plain string is a formula.
    data
        A pandas or polars DataFrame.
    family
        The response's family: ``"gaussian"``, ``"student"``, ``"lognormal"``, ``"gamma"``,
        ``"beta"``; ``"bernoulli"``, ``"binomial"``, ``"beta_binomial"``; ``"poisson"``,
        ``"negbinomial"``, ``"zero_inflated_poisson"``, ``"zero_inflated_negbinomial"``,
        ``"hurdle_poisson"``, ``"hurdle_negbinomial"``; ``"cumulative"``, ``"categorical"``.
        Not needed where equations or the formula name it.
    priors
        Priors by parameter name in place of the defaults; `priors` lists the names.
    link
        The family's link; None is the canonical one.
    missing
        ``"error"`` refuses missing values, ``"drop"`` drops their rows and says so, ``"keep"``
        keeps rows without a response, taken as missing at random: they count in group means
        and other encodings, not in the likelihood, and ``fit.predict("missing")`` predicts
        them. Missing predictors are refused then too.

    Raises
    ------
    BayesmlmError
        If the model cannot be fitted to the data. Nothing is fitted then.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> data = mlm.datasets.load("high_school_beyond")
    >>> model = mlm.Model("mathach ~ meanses + (1 | school)", data)
    """

    def __init__(
        self,
        spec: ModelSpec | str,
        data: Any,
        family: str | None = None,
        priors: Mapping[str, Prior | LKJ] | None = None,
        *,
        link: str | None = None,
        missing: str = "error",
    ) -> None:
        self.spec = resolve_spec(spec, family, link)
        response = self.spec.response
        self.design = build_design(
            self.spec, data, family_of(response.family, response.link), missing
        )
        self.prior_values = resolve_priors(self.design, check_mapping(priors))
        self._data = snapshot(data)
        self._missing = missing
        for caution in self.design.cautions:
            warnings.warn(caution, BayesmlmWarning, stacklevel=2)

    def equations(self) -> Equations:
        """Return the equations and priors, each predictor on the level where the data have it.

        Returns
        -------
        Equations
            Prints level by level and shows as LaTeX in a notebook; ``.text``, ``.combined``,
            ``.latex(form, notation)``, ``.html()``.

        Examples
        --------
        >>> import bayesmlm as mlm
        >>> data = mlm.datasets.load("high_school_beyond")
        >>> print(mlm.Model("mathach ~ meanses + (1 | school)", data).equations().text)
        level 1:          mathach = b0 + r
        level 2 (school): b0 = g00 + g01*meanses + u0
        """
        return Equations(self.spec, self.design.factor_levels, self.prior_values)

    def levels(self) -> Levels:
        """Return the groupings as levels, and where every column of the data varies.

        Returns
        -------
        Levels
            Prints in words: numbers of groups and rows, what nests and what crosses.
        """
        frame = read_all(self._data, self.design.positions)
        groupings = tuple(block.grouping for block in self.design.random)
        return detect_levels(groupings, frame)

    def priors(self) -> Table:
        """Return every prior, and what it implies on the response scale.

        Returns
        -------
        Table
            One row a parameter, by the names that ``Model(priors={…})`` takes.
        """
        return Table("Priors", describe_priors(self.design, self.prior_values))

    def to_toml(self) -> str:
        """Return the text of a model file, which `bayesmlm.gallery.read` reads."""
        return model_toml(
            self.spec, self.prior_values, self.design.factor_levels, missing=self._missing
        )

    def to_pymc(
        self,
        parametrisation: str | Mapping[str, str] | None = None,
        *,
        random_effects: str = "sample",
    ) -> pm.Model:
        """Return the model as a `pymc.Model`, to read, extend or sample.

        Parameters
        ----------
        parametrisation
            ``"centred"`` or ``"non-centred"``, for all effects or by ``"group"`` or
            ``"group[effect]"``; None chooses from the data.
        random_effects
            ``"sample"`` gives a graph with all effects in it. ``"integrate"``, for a gaussian
            response and Normal priors of the fixed effects, gives one of the hyperparameters
            alone: ``sd_<group>``, ``corr_<group>`` and ``sigma`` with the same priors and
            dimensions, and the potential ``marginal_likelihood``, from which random and fixed
            effects are integrated out exactly. The response is constant data. `recover` draws
            the effects afterwards.

        Raises
        ------
        EngineError
            If the effects are to be integrated out and cannot, or an option is unknown.

        Notes
        -----
        What is added to the integrated graph may refer to its hyperparameters, not to effects.
        Its likelihood has a gradient and no Hessian, and runs on PyTensor's Numba and C
        backends, not on JAX. Numba calls it without the interpreter's lock, so that nutpie's
        chains run in parallel; for crossed groupings, which LAPACK factors, set BLAS to one
        thread then. Its kernels are compiled once on a machine, not for every graph. They
        work on cross-products, not on rows, which are shared variables whatever their size:
        none is a constant of the graph, which above 1 MB would keep PyTensor from caching it.
        """
        return pymc_model(self.design, self.prior_values, parametrisation, random_effects)

    def recover(self, tree: xr.DataTree, seed: int | None = None) -> xr.DataTree:
        """Draw the effects for your own draws of ``to_pymc(random_effects="integrate")``.

        Each draw of the hyperparameters gets one draw of ``beta`` and of every ``u_<group>``
        from their exact conditional distribution given it and the data. That is the posterior
        also of a graph that was extended, as what is added to it cannot refer to the effects.

        Parameters
        ----------
        tree
            As `pymc.sample` or `nutpie.sample` gives it, with ``sd_<group>``,
            ``corr_<group>`` and ``sigma`` in its group ``posterior``.
        seed
            Same seed, same draws; None draws one.

        Returns
        -------
        DataTree
            The same tree with the effects added to its posterior, dimensions as in a fit's.

        Raises
        ------
        EngineError
            If the draws are not of this model, or hold effects already.

        Examples
        --------
        >>> import bayesmlm as mlm
        >>> import pymc as pm
        >>> model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
        >>> with model.to_pymc(random_effects="integrate") as graph:
        ...     pm.Potential("belief", pm.logp(pm.Normal.dist(25, 2), graph["sigma"]))
        ...     tree = pm.sample(random_seed=1)
        >>> tree = model.recover(tree, seed=1)
        """
        return recover(
            marginal_density(self.design, self.prior_values), tree, Noise(resolve_seed(seed))
        )

    def prior_predictive(self, draws: int = 500, seed: int | None = None) -> xr.DataTree:
        """Draw parameters and responses from the prior.

        Parameters
        ----------
        draws
            Number of draws.
        seed
            Same seed, same draws; None draws one.

        Returns
        -------
        xarray.DataTree
            Groups ``prior``, ``prior_predictive`` and the observed data, as ArviZ takes them.

        Raises
        ------
        EngineError
            For mass points, which are summed out of the graph.
        """
        check_count("draws", draws)
        return prior_predictive(self.design, self.prior_values, draws, resolve_seed(seed))

    def check_priors(self, draws: int = 999, level: float = 0.05, seed: int = 0) -> LevelChecks:
        """Check by level whether the response is one that the priors expect.

        Parameters
        ----------
        draws
            Responses drawn from the priors.
        level
            Probability at most of any finding for a response that the priors describe.
        seed
            Of the draws.

        Returns
        -------
        LevelChecks
            Prints; ``.frame``, ``.findings``, ``.plot()``.
        """
        found = check_priors(self.design, self.prior_values, draws, level, seed)
        return LevelChecks("The response among draws from the priors", found)

    def simulate(
        self,
        source: Fit | Mapping[str, Any] | None = None,
        *,
        draws: int = 100,
        groups: str | Mapping[str, str] | None = None,
        data: Any = None,
        seed: int | None = None,
    ) -> Simulation:
        """Draw responses, with the parameters and effects behind them. Nothing is compiled.

        Parameters
        ----------
        source
            A fit of this model; parameters by name, each a number or a distribution such as
            ``Normal(0.3, 0.1)``; or None for the priors. ``"sd_g[x]"`` and
            ``"corr_g[Intercept~x]"`` are names, as in `priors`.
        draws
            Number of draws. Those of a fit are taken in random order.
        groups
            Of a fit: ``"same"``, the groups' own effects, or ``"new"``, those of new groups in
            their place; a dictionary has one of these by grouping. None is ``"same"``.
            Without a fit all effects are drawn.
        data
            Rows in place of the model's own, without a response.
        seed
            Same seed, same draws.

        Returns
        -------
        Simulation
            ``.dataset`` holds everything by draw, ``.frame(3)`` is the data with the
            response of draw 3.

        Examples
        --------
        >>> import bayesmlm as mlm
        >>> model = mlm.Model("Reaction ~ Days + (1 | Subject)", mlm.datasets.load("sleepstudy"))
        >>> values = {"Intercept": 250, "Days": 10, "sd_Subject": 30, "sigma": 30}
        >>> model.simulate(values, draws=2, seed=1).responses.shape
        (2, 180)
        """
        check_count("draws", draws)
        rng = np.random.default_rng(resolve_seed(seed))
        if isinstance(source, Fit):
            check_same_model(self.design, source.result.design)
            found = simulate_fit(source.result, draws, rng, groups, data)
        else:
            own = (
                prior_parameters(self.design, self.prior_values, draws, rng)
                if source is None
                else given_parameters(self.design, source, draws, rng)
            )
            found = simulate(self.design, own, rng, groups, data)
        rows = read_all(self._data, self.design.positions) if data is None else read_every(data)
        return Simulation(found, self.design.outcome, self.spec.response.column, rows)

    def fit(
        self,
        method: str | Engine = "nuts",
        *,
        seed: int | None = None,
        progress: bool | None = None,
        **options: Any,
    ) -> Fit:
        """Fit the model.

        Parameters
        ----------
        method
            An engine (``bayesmlm.NUTS(draws=2000)``) or its short name (``"nuts"``).
        seed
            A whole number from 0; None draws one, which the fit records.
        progress
            Whether to show progress; None shows it in a terminal and in Jupyter.
        options
            Options of the engine named, e.g. ``draws=2000``.

        Returns
        -------
        Fit
            Draws and statistics; prints its summary.

        Raises
        ------
        EngineError
            For an unknown engine or option, or an engine that cannot fit this model; the
            message names one that can.

        Warns
        -----
        BayesmlmWarning
            If the engine did not converge; the fit is returned all the same.

        Examples
        --------
        >>> import bayesmlm as mlm
        >>> model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
        >>> fit = model.fit("laplace", seed=1)  # doctest: +SKIP
        >>> fit.summary()  # doctest: +SKIP
        """
        chosen = engine(method, **options)
        show = is_interactive() if progress is None else progress
        result = chosen.fit(self.design, self.prior_values, resolve_seed(seed), Progress(show))
        return checked(result, self._data)

    def __str__(self) -> str:
        lines = [str(self.equations()), "", str(self.design.levels), *self.design.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<bayesmlm.Model {self.equations().formula}, {len(self.design.y):,} rows>"
