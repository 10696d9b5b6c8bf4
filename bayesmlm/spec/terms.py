"""ModelSpec and its parts: frozen, canonical, comparable; no data and no PyMC.

Order is kept for display and ignored by equality: `x + w` and `w + x` are one model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

INTERCEPT_LABEL = "Intercept"

CANONICAL_LINKS = {
    "gaussian": "identity",
    "bernoulli": "logit",
    "binomial": "logit",
    "poisson": "log",
    "student": "identity",
    "lognormal": "identity",
    "gamma": "log",
    "beta": "logit",
    "beta_binomial": "logit",
    "negbinomial": "log",
    "cumulative": "logit",
    "categorical": "logit",
    "zero_inflated_poisson": "log",
    "zero_inflated_negbinomial": "log",
    "hurdle_poisson": "log",
    "hurdle_negbinomial": "log",
}
"""The link a family has when none is named."""

ORDERED_FAMILIES = ("cumulative",)
"""Families of ordered categories, of which thresholds stand in the intercept's place."""

PARAMETER_LINKS = {
    "sigma": "log",
    "nu": "log",
    "shape": "log",
    "phi": "log",
    "zi": "logit",
    "hu": "logit",
}
"""The link of a further parameter that has a formula, when none is named."""


def _set(instance: Any, name: str, value: Any) -> None:
    object.__setattr__(instance, name, value)


@dataclass(frozen=True)
class Term:
    """A product of factors; the intercept is the empty product.

    Parameters
    ----------
    factors
        Normalised factor expressions, e.g. ``("x", "bs(w, df=4)")``, in the order written.
    """

    factors: tuple[str, ...] = field(compare=False)
    key: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _set(self, "key", frozenset(self.factors))

    def __str__(self) -> str:
        return ":".join(self.factors) if self.factors else INTERCEPT_LABEL

    @property
    def is_intercept(self) -> bool:
        """Whether this is the intercept."""
        return not self.factors

    def times(self, other: Term) -> Term:
        """Return the product of two terms, without repeating a factor."""
        return Term(self.factors + tuple(f for f in other.factors if f not in self.key))


INTERCEPT = Term(())


@dataclass(frozen=True)
class RandomTerm:
    """Effects that vary over the levels of one grouping, with one joint covariance.

    Independent effects of one grouping are separate terms: ``(x || g)`` is the two terms
    ``(1 | g)`` and ``(0 + x | g)``.

    Parameters
    ----------
    effects
        Terms whose coefficients vary.
    grouping
        Column names whose combination is the grouping: ``("school",)`` or
        ``("school", "class")`` for classes numbered within schools.
    covariance
        Structure over the columns of `effects`.
    distribution
        Distribution of the effects: ``"normal"``, ``"student"`` or ``"points"``.
    points
        Number of mass points, where the distribution is one of points.
    by, known_covariance, membership_weights
        A column that splits the covariance, the name of a known covariance matrix between
        levels, and the weight columns of multiple membership.
    """

    effects: tuple[Term, ...] = field(compare=False)
    grouping: tuple[str, ...] = field(compare=False)
    covariance: str = "unstructured"
    distribution: str = "normal"
    points: int | None = None
    by: str | None = None
    known_covariance: str | None = None
    members: tuple[str, ...] = ()
    membership_weights: tuple[str, ...] = ()
    key: tuple[frozenset[Term], frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _set(self, "key", (frozenset(self.effects), frozenset(self.grouping)))

    @property
    def group(self) -> str:
        """The grouping's name, nested factors joined by a colon: ``school:class``."""
        return ":".join(self.grouping)

    @property
    def distribution_text(self) -> str:
        """The distribution as equations write it: ``student`` or ``points(3)``."""
        return self.distribution if self.points is None else f"points({self.points})"

    @property
    def has_intercept(self) -> bool:
        """Whether the intercept varies."""
        return INTERCEPT in self.effects


@dataclass(frozen=True)
class Predictor:
    """A linear predictor: fixed terms, random terms and an offset.

    Parameters
    ----------
    fixed
        Fixed terms; the intercept is one of them.
    random
        Random terms, one per block of correlated effects.
    offset
        Expressions added with coefficient one.
    link
        Of a further parameter: ``None`` is the parameter's own (log of positive ones, logit
        of probabilities). The location has the link of its `Response`.
    """

    fixed: tuple[Term, ...] = field(default=(INTERCEPT,), compare=False)
    random: tuple[RandomTerm, ...] = field(default=(), compare=False)
    offset: tuple[str, ...] = field(default=(), compare=False)
    link: str | None = None
    key: tuple[frozenset[Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = (self.fixed, self.random, self.offset)
        _set(self, "key", tuple(frozenset(part) for part in parts))

    @property
    def has_intercept(self) -> bool:
        """Whether there is a fixed intercept."""
        return INTERCEPT in self.fixed

    @property
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """The distinct groupings, in the order of the random terms."""
        found: dict[frozenset[str], tuple[str, ...]] = {}
        for term in self.random:
            found.setdefault(frozenset(term.grouping), term.grouping)
        return tuple(found.values())


def _without_own_link(name: str, predictor: Predictor) -> Predictor:
    """Return a parameter's predictor without its link, where that is the parameter's own."""
    own = predictor.link is not None and predictor.link == PARAMETER_LINKS.get(name)
    return replace(predictor, link=None) if own else predictor


@dataclass(frozen=True)
class Residual:
    """The level-1 residual structure; independent by default."""

    structure: str = "independent"
    by: str | None = None


@dataclass(frozen=True)
class Response:
    """One outcome: its column, distribution, additions and linear predictors.

    Parameters
    ----------
    column
        The response's column, or an expression of columns.
    family, link
        The distribution, and its link; ``None`` is the family's canonical link.
    additions
        ``(name, expression)`` pairs, sorted: ``se``, ``trials``, ``weights``, ``precision``.
    predictors
        ``(parameter, Predictor)`` pairs, sorted; the location's parameter is ``"mu"``.
    residual
        Level-1 residual structure.
    family_declared
        Whether the notation itself named the family (equations do).
    """

    column: str
    predictors: tuple[tuple[str, Predictor], ...]
    family: str = "gaussian"
    link: str | None = None
    additions: tuple[tuple[str, str], ...] = ()
    residual: Residual = Residual()
    family_declared: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.link == CANONICAL_LINKS.get(self.family):
            _set(self, "link", None)
        _set(self, "additions", tuple(sorted(self.additions)))
        plain = [(name, _without_own_link(name, value)) for name, value in self.predictors]
        _set(self, "predictors", tuple(sorted(plain, key=lambda pair: pair[0])))

    @property
    def mu(self) -> Predictor:
        """The predictor of the location."""
        return dict(self.predictors)["mu"]

    @property
    def further(self) -> tuple[tuple[str, Predictor], ...]:
        """The predictors of further parameters, by name."""
        return tuple(pair for pair in self.predictors if pair[0] != "mu")

    @property
    def ordered(self) -> bool:
        """Whether the categories are ordered, and thresholds stand in the intercept's place."""
        return self.family in ORDERED_FAMILIES

    def addition(self, name: str) -> str | None:
        """Return the expression of an addition, or None."""
        return dict(self.additions).get(name)


@dataclass(frozen=True)
class Declarations:
    """What only equations say, kept aside from equality.

    Parameters
    ----------
    coefficients
        ``(term, label)`` pairs: the user's name of each fixed coefficient.
    random_names
        ``(group, effect, name)`` triples: the user's name of each random effect.
    residual_name
        The user's name of the level-1 residual.
    levels
        ``(number, grouping)`` pairs, one a block above level 1.
    levels_of
        ``(factor, grouping)`` pairs: an equation of that level uses the factor as a
        predictor, so it must not vary inside the grouping.
    labels
        ``(grouping, term, label)`` triples: every coefficient, fixed or modelled above, by
        the grouping of its block (``()`` for level 1) and the term of the combined model
        that it multiplies.
    bare_names
        Coefficients and random effects that stand alone as summands; none may be a column
        of the data, which must have a coefficient.
    """

    coefficients: tuple[tuple[Term, str], ...] = ()
    random_names: tuple[tuple[str, Term, str], ...] = ()
    residual_name: str | None = None
    levels: tuple[tuple[int, tuple[str, ...]], ...] = ()
    levels_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    labels: tuple[tuple[tuple[str, ...], Term, str], ...] = ()
    bare_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """A multilevel model as written, independent of notation and of data.

    Parameters
    ----------
    responses
        One `Response` an outcome.
    declared
        Labels and levels that equations declared; ignored by equality.
    """

    responses: tuple[Response, ...]
    declared: Declarations | None = field(default=None, compare=False)

    @property
    def response(self) -> Response:
        """The only response."""
        return self.responses[0]

    def with_family(self, family: str, link: str | None = None) -> ModelSpec:
        """Return the same model with another family and link.

        Parameters
        ----------
        family
            Its name, as of `bayesmlm.Model`.
        link
            None is the family's canonical one.
        """
        responses = tuple(replace(r, family=family, link=link) for r in self.responses)
        return replace(self, responses=responses)
