"""A model: a specification met with data and priors, ready to fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.checks import check_priors
from bayesmlm.density import GaussianMarginal
from bayesmlm.density.noise import Noise
from bayesmlm.density.pymc_model import marginal_model
from bayesmlm.density.recover import recover
from bayesmlm.design import Design, Levels, build_design
from bayesmlm.design.frame import read_all, read_every, snapshot
from bayesmlm.design.levels import detect_levels
from bayesmlm.engines import Engine, Progress, engine, is_interactive
from bayesmlm.engines.marginal import find_marginal
from bayesmlm.engines.options import resolve_seed
from bayesmlm.engines.quiet import quiet
from bayesmlm.errors import (
    BayesmlmWarning,
    EngineError,
    FamilyError,
    PriorError,
    SpecError,
    message,
)
from bayesmlm.families import Family
from bayesmlm.families import family as family_of
from bayesmlm.fit import Fit, checked
from bayesmlm.graph import build_model, choose
from bayesmlm.predict.parameter_draws import given_parameters, prior_parameters
from bayesmlm.predict.simulation import Simulation, simulate, simulate_fit
from bayesmlm.priors import Prior, describe_priors, resolve_priors
from bayesmlm.priors.lkj import LKJ
from bayesmlm.reports import Table
from bayesmlm.reports.equations import Equations
from bayesmlm.reports.level_checks import LevelChecks
from bayesmlm.reports.toml import model_toml
from bayesmlm.spec import ModelSpec, formula
from bayesmlm.spec.render import formula_text
from bayesmlm.spec.support import refuse_unsupported
from bayesmlm.spec.terms import Response

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

RANDOM_EFFECTS = ("sample", "integrate")


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

        Prints level by level; ``.latex(notation="gelman-hill")``, ``.html()``.
        """
        return Equations(self.spec, self.design.factor_levels, self.prior_values)

    def levels(self) -> Levels:
        """Return the groupings as levels, and where every column of the data varies."""
        frame = read_all(self._data, self.design.positions)
        groupings = tuple(block.grouping for block in self.design.random)
        return detect_levels(groupings, frame)

    def priors(self) -> Table:
        """Return every prior, and what it implies on the response scale."""
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
        if not isinstance(random_effects, str) or random_effects not in RANDOM_EFFECTS:
            raise EngineError(
                message(
                    f"to_pymc(random_effects={random_effects!r})",
                    ", ".join(map(repr, RANDOM_EFFECTS)),
                    "leave it out for a graph with all effects",
                )
            )
        if random_effects == "sample":
            return build_model(self.design, self.prior_values, choose(self.design, parametrisation))
        if parametrisation is not None:
            raise EngineError(
                message(
                    "to_pymc(random_effects='integrate') with a parametrisation",
                    "one of them: integrated effects have no parametrisation",
                    "leave the parametrisation out",
                )
            )
        return marginal_model(self._marginal())

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
        return recover(self._marginal(), tree, Noise(resolve_seed(seed)))

    def _marginal(self) -> GaussianMarginal:
        """Return the marginal density, or raise `EngineError`."""
        found = find_marginal(self.design, self.prior_values)
        if isinstance(found, str):
            raise EngineError(
                message(
                    f"the effects of this model do not integrate out exactly: {found}",
                    "gaussian responses with normal effects and Normal priors of the fixed effects",
                    'use to_pymc(random_effects="sample"), which has all effects in the graph',
                )
            )
        return found

    def prior_predictive(self, draws: int = 500, seed: int | None = None) -> xr.DataTree:
        """Draw parameters and responses from the prior.

        Parameters
        ----------
        draws
            Number of draws.
        seed
            Same seed, same draws.
        """
        check_count("draws", draws)
        start = resolve_seed(seed)
        mixed = next((b.name for b in self.design.random if b.distribution == "points"), None)
        if mixed is not None:
            raise EngineError(
                message(
                    f"prior_predictive() of mass points by {mixed}, which are summed out",
                    "effects that the graph holds",
                    "leave out dist=, or write dist='student'",
                )
            )
        import pymc as pm

        with quiet(), self.to_pymc("non-centred"):
            return pm.sample_prior_predictive(draws, random_seed=start)

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

        Warns
        -----
        BayesmlmWarning
            If the sampler did not converge; the fit is returned all the same.
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


def resolve_spec(spec: ModelSpec | str, family: str | None, link: str | None) -> ModelSpec:
    """Return the specification with its family, refusing what is not implemented."""
    if isinstance(spec, str):
        spec = formula(spec)
    if not isinstance(spec, ModelSpec):
        raise SpecError(
            message(
                f"a specification of type {type(spec).__name__}",
                "bayesmlm.formula(…), bayesmlm.equations(…), or a formula as text",
                "write the model as text first",
            )
        )
    refuse_unsupported(spec)
    response = spec.response
    check_text("family", family)
    check_text("link", link)
    if family is None and link is None:
        return spec
    wanted = response.family if family is None else family
    same = family is None or wanted == response.family or not response.family_declared
    kept = response.link if same else None
    wanted_link = kept if link is None else link
    new = family_of(wanted, wanted_link)
    if says_otherwise(response, new):
        raise FamilyError(
            message(
                f"family={wanted!r}, link={wanted_link!r} beside a specification that says "
                f"{response.family} ({response.link or 'canonical link'})",
                "one of them",
                "leave family and link out of Model(), or change the specification",
            )
        )
    return spec.with_family(wanted, wanted_link)


def says_otherwise(response: Response, new: Family) -> bool:
    """Return whether a specification itself names another family or link than `new`."""
    if response.family_declared:
        return new != family_of(response.family, response.link)
    return response.link is not None and new.link.name != response.link


def check_same_model(own: Design, other: Design) -> None:
    """Raise `EngineError` for a fit of another model, or of other rows."""
    if own.spec != other.spec or own.X.shape != other.X.shape:
        raise EngineError(
            message(
                f"a fit of another model: {formula_text(other.spec)}, {len(other.y):,} rows",
                f"fits of {formula_text(own.spec)}, {len(own.y):,} rows",
                "simulate from the model that was fitted",
            )
        )


def check_text(what: str, name: Any) -> None:
    """Raise `FamilyError` for the name of a family or a link that is not text."""
    if name is not None and not isinstance(name, str):
        got = f"a {what} of type {type(name).__name__}"
        raise FamilyError(message(got, f"the name of a {what}", 'for example family="bernoulli"'))


def check_mapping(priors: Any) -> Mapping[str, Prior | LKJ] | None:
    """Return the priors, if they are given by name."""
    if priors is not None and not isinstance(priors, Mapping):
        raise PriorError(
            message(
                f"priors of type {type(priors).__name__}",
                "a dictionary of priors by parameter name",
                'for example priors={"sigma": bayesmlm.HalfNormal(1)}',
            )
        )
    return priors


def check_count(name: str, value: Any) -> None:
    """Raise `EngineError` for anything but a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise EngineError(
            message(f"{name}={value!r}", "a whole number from 1", f"pass {name}=500, for example")
        )
