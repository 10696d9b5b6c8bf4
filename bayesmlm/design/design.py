"""A ModelSpec met with data: arrays and integer codes, never an indicator matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding, encode, without_intercept
from bayesmlm.design.frame import Rows, narwhalify, read_columns
from bayesmlm.design.further import ParameterDesign, check_parameter_names, check_parameters
from bayesmlm.design.grouping import Codes, Grouping, group_rows
from bayesmlm.design.latent_means import LatentMeans, latent_means
from bayesmlm.design.levels import Levels, column_level, detect_levels
from bayesmlm.design.refuse import (
    check_bare_names,
    check_declared_levels,
    check_fixed_groups,
    check_groupings,
    check_residual,
    check_same_groups,
    check_sides,
)
from bayesmlm.design.response import Outcome, check_seen, learn, read_outcome, unlikely
from bayesmlm.design.screen import check_names, far_from_zero, near_collinear, screen
from bayesmlm.errors import DataError, SpecError, UnsupportedError, message, suggestion
from bayesmlm.families import Family, Parameter
from bayesmlm.families.link import LINKS
from bayesmlm.families.parameter import ORDERED
from bayesmlm.spec.expression import is_name, variables
from bayesmlm.spec.terms import ModelSpec, Predictor, RandomTerm, Response, Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

COMPLETE = "leave these rows out, or impute them first"
"""What to do about missing values in rows that are to be predicted."""


@dataclass(frozen=True)
class RandomBlock:
    """All effects that vary over one grouping.

    Parameters
    ----------
    grouping
        Codes and labels of the J groups.
    effects
        Names of the q effects.
    Z
        Effect columns, shape (N, q).
    blocks
        Indices of the effects that are correlated with one another, a partition of
        ``range(q)``.
    encodings
        How the effect columns were made, one a block.
    distribution, points
        Of the effects, ``"normal"``, ``"student"`` or ``"points"``, and how many points.
    parameter
        Whose linear predictor the effects belong to.
    """

    grouping: Grouping
    effects: tuple[str, ...]
    Z: Array
    blocks: tuple[tuple[int, ...], ...]
    encodings: tuple[Encoding, ...]
    distribution: str = "normal"
    points: int | None = None
    parameter: str = names.MU

    @property
    def is_normal(self) -> bool:
        """Whether the effects are normal."""
        return self.distribution == "normal"

    @property
    def name(self) -> str:
        """The grouping's name; of a further parameter's effects ``sigma_<group>``."""
        return names.parameter_group(self.parameter, self.grouping.name)

    @property
    def dim(self) -> str:
        """The groups' dimension, which the effects on all parameters share."""
        return names.safe(self.grouping.name)

    def effect(self, name: str) -> str:
        """Return the name of an effect, if it is one of the block's.

        Raises
        ------
        SpecError
            If it is not.
        """
        if name not in self.effects:
            raise SpecError(
                message(
                    f"{name!r} does not vary over {self.name!r}{suggestion(name, self.effects)}",
                    ", ".join(self.effects),
                    "name one of these effects",
                )
            )
        return name

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of correlated effects, first index before second."""
        return tuple(
            (block[i], block[j])
            for block in self.blocks
            for j in range(len(block))
            for i in range(j)
        )

    @property
    def pair_labels(self) -> tuple[str, ...]:
        """Labels of `pairs`."""
        return tuple(names.pair(self.effects[i], self.effects[j]) for i, j in self.pairs)


@dataclass(frozen=True)
class PredictorRows:
    """What the linear predictor of some rows is made from.

    Parameters
    ----------
    X
        Fixed columns, shape (N, p).
    Z
        Effect columns by grouping, each of shape (N, q).
    codes
        Group of each row by grouping, -1 for a group that training did not have.
    offset
        Shape (N,).
    groups
        The rows' own groups by grouping.
    further
        The same of each further parameter with a formula.
    """

    X: Array
    Z: Mapping[str, Array]
    codes: Mapping[str, Codes]
    offset: Array
    groups: Mapping[str, Grouping]
    further: Mapping[str, PredictorRows] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """A specification met with data.

    Parameters
    ----------
    spec, family
        What was specified.
    outcome
        The response and its additions.
    X
        Fixed columns, shape (N, p).
    fixed
        How the fixed columns were made; ``fixed.columns`` names the coefficients.
    offset
        Shape (N,).
    offsets
        How each summand of the offset was made.
    random
        One block a grouping.
    levels
        Nesting, crossing, and the level on which each used column varies.
    factor_levels
        The grouping on whose level each factor of the model lives; level-1 factors absent.
    positions
        Positions of the N rows in the data given.
    notes
        What is stated beside the results, `cautions` included.
    cautions
        What the user should look at: dropped rows, near collinearity, far predictors.
    latent
        The predictors whose group means are latent; their columns of X hold observed means.
    further
        The linear predictors of further parameters that have a formula.
    """

    spec: ModelSpec
    family: Family
    outcome: Outcome
    X: Array
    fixed: Encoding
    offset: Array
    offsets: tuple[Encoding, ...]
    random: tuple[RandomBlock, ...]
    levels: Levels
    factor_levels: Mapping[str, tuple[str, ...]]
    positions: NDArray[np.int64]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]
    latent: LatentMeans = field(default_factory=LatentMeans)
    further: tuple[ParameterDesign, ...] = ()

    @property
    def target(self) -> str:
        """The parameter that X and the random blocks are of: the location."""
        return names.MU

    @property
    def ordered(self) -> bool:
        """Whether thresholds stand in the intercept's place."""
        return self.family.ordered

    @property
    def parts(self) -> tuple[Design | ParameterDesign, ...]:
        """The linear predictors of all parameters, the location's, itself, first."""
        return (self, *self.further)

    @property
    def blocks(self) -> tuple[RandomBlock, ...]:
        """The random blocks of all parameters, the location's first."""
        return (*self.random, *(block for part in self.further for block in part.random))

    @property
    def y(self) -> Array:
        """The response, shape (N,)."""
        return self.outcome.y

    @property
    def coef(self) -> tuple[str, ...]:
        """Names of the p fixed coefficients."""
        return self.fixed.columns

    @property
    def estimates_scale(self) -> bool:
        """Whether sigma is a parameter, one for all rows."""
        return any(parameter.name == names.SIGMA for parameter in self.parameters)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The further parameters with one value for all rows, in the order of the kernels."""
        formulas = {part.target for part in self.further}
        found = self.family.parameters(self.outcome.rows)
        labels = self.outcome.threshold_labels
        return tuple(
            replace(p, labels=labels) if p.support == ORDERED else p
            for p in found
            if p.name not in formulas
        )

    def block(self, group: str) -> RandomBlock:
        """Return the random block of a grouping, of effects on the location.

        Raises
        ------
        SpecError
            If nothing varies over such a grouping.
        """
        for block in self.random:
            if block.name == group:
                return block
        inner = [block for block in self.random if block.grouping.columns[-1] == group]
        if len(inner) == 1:  # the name in its header: class for school:class
            return inner[0]
        raise SpecError(
            message(
                f"no effects vary over {group!r}",
                ", ".join(block.name for block in self.random) or "none: the model has no groups",
                "name one of these groupings",
            )
        )

    def any_block(self, group: str) -> RandomBlock:
        """Return a random block, also of a further parameter: ``sigma_<group>``.

        Raises
        ------
        SpecError
            If nothing varies over such a grouping.
        """
        found = [b for part in self.further for b in part.random if b.name == group]
        return found[0] if found else self.block(group)

    def apply(self, data: Any, groupings: Iterable[str] | None = None) -> PredictorRows:
        """Encode new data exactly as the training data were encoded.

        Parameters
        ----------
        data
            A pandas or polars DataFrame.
        groupings
            Names of those whose groups are wanted; None wants all. The columns of the others
            are not needed, unless a predictor is computed from them.

        Raises
        ------
        DataError
            For missing columns, missing values, or categories that training did not have.
        UnsupportedError
            Of a model with latent group means.
        """
        if self.latent.reason:
            raise UnsupportedError(
                message(
                    f"new rows of a model in which {self.latent.reason}",
                    "models of observed columns",
                    "write between(x, g) for latent(x, g)",
                )
            )
        predictors = [own for _, own in self.spec.response.predictors]
        wanted = [b for b in self.blocks if groupings is None or b.name in set(groupings)]
        effects = [name for own in predictors for name in effect_columns(own)]
        frame = read_columns(data, [*effects, *group_columns(wanted)], step=COMPLETE).frame
        groups = {b.name: group_rows(b.grouping.columns, frame) for b in wanted}
        further = {part.target: predictor_rows(part, frame, groups) for part in self.further}
        return replace(predictor_rows(self, frame, groups), further=further)


def predictor_rows(
    part: Design | ParameterDesign, frame: pd.DataFrame, groups: Mapping[str, Grouping]
) -> PredictorRows:
    """Return what one linear predictor of other rows is made from.

    Parameters
    ----------
    part
        The location, or a further parameter.
    frame
        The rows.
    groups
        Their groups by random block; of blocks that are left out nothing is known.
    """
    own = {block.name: groups[block.name] for block in part.random if block.name in groups}
    return PredictorRows(
        X=part.fixed.apply(frame),
        Z={
            block.name: np.column_stack([e.apply(frame) for e in block.encodings])
            for block in part.random
        },
        codes={
            block.name: block.grouping.place(own[block.name])
            for block in part.random
            if block.name in own
        },
        offset=total([e.apply(frame)[:, 0] for e in part.offsets], len(frame)),
        groups=own,
    )


def build_design(spec: ModelSpec, data: Any, family: Family, missing: str = "error") -> Design:
    """Meet a specification with data.

    Parameters
    ----------
    spec
        The model as written.
    data
        A pandas or polars DataFrame.
    family
        The response's family.
    missing
        ``"error"``, ``"drop"``, or ``"keep"``: rows without a response take part in encodings
        (in group means, say) and not in the likelihood.

    Raises
    ------
    DataError
        If the model cannot be fitted to the data; the message says why.
    """
    response = spec.response
    source = narwhalify(data)
    rows = read_columns(source, used_columns(spec), missing, outcome=outcome_columns(spec))
    frame, whole = rows.frame, rows.whole
    check_sides(response, right_columns(response))
    check_bare_names(spec, tuple(source.columns))
    if (family.ordered or family.unordered) and is_name(response.column):
        check_seen(response.column, source[variables(response.column)[0]], frame)
    outcome = read_outcome(response, family, frame)
    family = family.of(outcome.categories)
    check_parameters(response, family, outcome.rows)
    # the first category has the linear predictor 0, and the others have the formula
    mu = Predictor(fixed=()) if family.unordered else response.mu
    groupings = tuple(group_rows(columns, frame) for columns in mu.groupings)
    check_groupings(groupings, family.estimates_scale(outcome.rows), len(frame))
    check_declared_levels(spec, groupings, frame)
    encode_fixed = without_intercept if family.ordered else encode
    fixed, X = encode_fixed(mu.fixed, whole)
    X = rows.observed(X)
    check_names(fixed.columns, intercepts(mu.fixed), "the fixed part")
    screen(X, fixed.columns, "the fixed part")
    offsets = [learn(text, whole) for text in mu.offset]
    random = tuple(random_block(g, mu.random, rows) for g in groupings)
    known = {parameter.name: parameter for parameter in family.parameters(outcome.rows)}
    formulas = further_formulas(response, family, outcome.rows)
    further = tuple(further_design(known[p], own, rows) for p, own in formulas)
    check_parameter_names(random, further)
    everywhere = all_groupings([response.mu, *(own for _, own in formulas)], frame)
    check_same_groups(groupings, tuple(block.effects for block in random))
    check_fixed_groups(X, tuple(b.grouping for b in random if names.INTERCEPT in b.effects))
    if family.estimates_scale(outcome.rows):
        check_residual(X, family.on_link_scale(outcome.y), groupings)
    cautions = [rows.note, near_collinear(X, fixed.columns), unlikely(response, family, outcome)]
    cautions += [
        far_from_zero(effect, block.name, column)
        for block in random
        for effect, column in zip(block.effects, block.Z.T, strict=True)
        if names.INTERCEPT in block.effects
    ]
    return Design(
        spec=spec,
        family=family,
        outcome=outcome,
        X=X,
        fixed=fixed,
        offset=total([rows.observed(values) for _, values in offsets], len(frame)),
        offsets=tuple(encoding for encoding, _ in offsets),
        random=random,
        levels=detect_levels(everywhere, frame),
        factor_levels=further_levels(response, frame)
        | factor_levels(response.mu, everywhere if family.unordered else groupings, frame),
        positions=rows.positions,
        notes=tuple(note for note in (outcome.note, rows.kept, *cautions) if note),
        cautions=tuple(note for note in cautions if note),
        latent=latent_means(response.mu, groupings, fixed, frame),
        further=further,
    )


def all_groupings(predictors: list[Predictor], frame: pd.DataFrame) -> tuple[Grouping, ...]:
    """Return the groupings of some predictors, each once."""
    found = {frozenset(columns): columns for own in predictors for columns in own.groupings}
    return tuple(group_rows(columns, frame) for columns in found.values())


def further_formulas(
    response: Response, family: Family, rows: Mapping[str, Array]
) -> tuple[tuple[str, Predictor], ...]:
    """Return the formulas of further parameters; categories without one have the location's."""
    if not family.unordered:
        return response.further
    if any(term.points is not None for term in response.mu.random):
        raise SpecError(
            message(
                "mass points with the categorical family",
                "normal and Student-t effects",
                "leave out dist=, or write dist='student'",
            )
        )
    own = dict(response.further)
    return tuple((p.name, own.get(p.name, response.mu)) for p in family.parameters(rows))


def further_design(parameter: Parameter, predictor: Predictor, rows: Rows) -> ParameterDesign:
    """Meet the formula of a further parameter with data."""
    frame, whole = rows.frame, rows.whole
    groupings = tuple(group_rows(columns, frame) for columns in predictor.groupings)
    check_groupings(groupings, False, len(frame))
    fixed, X = encode(predictor.fixed, whole)
    X = rows.observed(X)
    part = f"the fixed part of {parameter.name}"
    check_names(fixed.columns, intercepts(predictor.fixed), part)
    screen(X, fixed.columns, part)
    blocks = tuple(
        replace(random_block(g, predictor.random, rows), parameter=parameter.name)
        for g in groupings
    )
    check_same_groups(groupings, tuple(block.effects for block in blocks))
    check_fixed_groups(X, tuple(b.grouping for b in blocks if names.INTERCEPT in b.effects))
    offsets = [learn(text, whole) for text in predictor.offset]
    return ParameterDesign(
        parameter=parameter,
        link=LINKS[predictor.link or parameter.links[0]],
        X=X,
        fixed=fixed,
        offset=total([rows.observed(values) for _, values in offsets], len(frame)),
        offsets=tuple(encoding for encoding, _ in offsets),
        random=blocks,
    )


def right_columns(response: Response) -> tuple[str, ...]:
    """Return the data columns that the predictors of all parameters use."""
    columns = [name for _, own in response.predictors for name in predictor_columns(own)]
    return tuple(dict.fromkeys(columns))


def predictor_columns(predictor: Predictor) -> tuple[str, ...]:
    """Return the data columns a predictor uses."""
    groups = [name for columns in predictor.groupings for name in columns]
    return tuple(dict.fromkeys([*effect_columns(predictor), *groups]))


def effect_columns(predictor: Predictor) -> tuple[str, ...]:
    """Return the data columns that a predictor's effects and offset are computed from."""
    effects = [term for random in predictor.random for term in random.effects]
    factors = [factor for term in (*predictor.fixed, *effects) for factor in term.factors]
    found = [name for text in (*factors, *predictor.offset) for name in variables(text)]
    return tuple(dict.fromkeys(found))


def group_columns(blocks: Iterable[RandomBlock]) -> tuple[str, ...]:
    """Return the data columns that make some groupings."""
    return tuple(dict.fromkeys(name for b in blocks for name in b.grouping.columns))


def used_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the data columns a specification uses, groups of its equations included."""
    response = spec.response
    left = (response.column, *(text for _, text in response.additions))
    found = [name for text in left for name in variables(text)]
    levels = spec.declared.levels if spec.declared else ()
    declared = [name for _, columns in levels for name in columns]
    return tuple(dict.fromkeys([*found, *right_columns(response), *declared]))


def outcome_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the data columns of the response that nothing else is computed from."""
    response = spec.response
    additions = [name for _, text in response.additions for name in variables(text)]
    taken = {*right_columns(response), *additions}
    return tuple(name for name in variables(response.column) if name not in taken)


def total(parts: list[Array], rows: int) -> Array:
    """Return the sum of the offsets, shape (N,)."""
    return sum(parts, np.zeros(rows))


def intercepts(terms: tuple[Term, ...]) -> int:
    """Return how many of the terms are the intercept."""
    return sum(term.is_intercept for term in terms)


def random_block(grouping: Grouping, terms: tuple[RandomTerm, ...], rows: Rows) -> RandomBlock:
    """Stack the effects of all random terms of one grouping."""
    own = [term for term in terms if frozenset(term.grouping) == frozenset(grouping.columns)]
    encoded = [encode(term.effects, rows.whole) for term in own]
    widths = [matrix.shape[1] for _, matrix in encoded]
    starts = np.cumsum([0, *widths])
    Z = rows.observed(np.column_stack([matrix for _, matrix in encoded]))
    effects = tuple(name for encoding, _ in encoded for name in encoding.columns)
    part = f"the effects of {grouping.name}"
    check_names(effects, intercepts(tuple(effect for term in own for effect in term.effects)), part)
    screen(Z, effects, part)
    return RandomBlock(
        grouping=grouping,
        effects=effects,
        Z=Z,
        blocks=tuple(
            tuple(range(int(start), int(start) + width))
            for start, width in zip(starts, widths, strict=False)
        ),
        encodings=tuple(encoding for encoding, _ in encoded),
        distribution=own[0].distribution,
        points=checked_points(own[0].points, grouping),
    )


def checked_points(points: int | None, grouping: Grouping) -> int | None:
    """Return the number of mass points, which is not above the number of groups."""
    if points is not None and points > grouping.size:
        raise DataError(
            message(
                f"{points} mass points of {grouping.size} groups of {grouping.name}",
                "at most as many points as groups",
                f"write k={min(3, grouping.size)}, say",
            )
        )
    return points


def factor_levels(
    predictor: Predictor, groupings: tuple[Grouping, ...], frame: pd.DataFrame
) -> dict[str, tuple[str, ...]]:
    """Return the grouping on whose level each factor lives; level-1 factors are absent."""
    effects = [term for random in predictor.random for term in random.effects]
    factors = [factor for term in (*predictor.fixed, *effects) for factor in term.factors]
    found: dict[str, tuple[str, ...]] = {}
    for factor in dict.fromkeys(factors):
        place = factor_level(factor, groupings, frame)
        if place:
            found[factor] = place
    return found


def further_levels(response: Response, frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the levels of factors that only further parameters' formulas have."""
    mu = response.mu
    effects = [term for random in mu.random for term in random.effects]
    own = {factor for term in (*mu.fixed, *effects) for factor in term.factors}
    found: dict[str, tuple[str, ...]] = {}
    for _, predictor in response.further:
        groupings = tuple(group_rows(columns, frame) for columns in predictor.groupings)
        found |= factor_levels(predictor, groupings, frame)
    return {factor: place for factor, place in found.items() if factor not in own}


def factor_level(
    factor: str, groupings: tuple[Grouping, ...], frame: pd.DataFrame
) -> tuple[str, ...] | None:
    """Return the grouping on whose level one factor lives, None for level 1."""
    import pandas as pd

    values = encode((Term((factor,)),), frame)[1]
    places = [column_level(groupings, pd.Series(column)) for column in values.T]
    homes = [place for place in places if place]
    if len(homes) < len(places) or len(set(homes)) != 1:
        return None
    return homes[0]
