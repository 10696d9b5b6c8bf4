"""What the language can say and nothing implements yet: refused here, in one place."""

from __future__ import annotations

from bayesmlm.errors import UnsupportedError, message
from bayesmlm.spec.latent_means import check_latent
from bayesmlm.spec.terms import ModelSpec, RandomTerm, Residual, Response

_IMPLEMENTED = (
    "one response, predictors of its location and of its family's further parameters, "
    "independent residuals, and normal random effects, correlated (x | g) or independent "
    "(x || g); Student-t effects, gr(g, dist='student'), and, of the location, mass points of "
    "one grouping, gr(g, dist='points', k=3)"
)


def refuse_unsupported(spec: ModelSpec) -> None:
    """Raise an error for the first thing in a specification that is not implemented.

    Parameters
    ----------
    spec
        A model in the language.

    Raises
    ------
    UnsupportedError
        If nothing could fit the model as it is written.
    SpecError
        For latent means that have no meaning where they stand.
    """
    if len(spec.responses) != 1:
        raise _refuse(f"{len(spec.responses)} responses", "fit one model a response")
    _check_response(spec.response)
    check_latent(spec)
    for parameter, predictor in spec.response.predictors:
        for term in predictor.random:
            _check_random(term)
            if parameter != "mu" and term.points is not None:
                got = f"mass points by {term.group} in the formula of {parameter}"
                raise _refuse(got, "leave out dist= there, or write dist='student'")
        _check_distributions(predictor.random)


def _check_response(response: Response) -> None:
    if response.residual != Residual():
        raise _refuse(f"residuals that are {response.residual}", "leave the structure out")


def _check_random(term: RandomTerm) -> None:
    bar = f"({' + '.join(str(effect) for effect in term.effects)} | {term.group})"
    if term.covariance != "unstructured":
        raise _refuse(f"a covariance {term.covariance!r} of {bar}", "write (x | g) or (x || g)")
    if term.by is not None:
        raise _refuse(f"a covariance by {term.by!r}, {bar}", "leave out by=")
    if term.known_covariance is not None:
        raise _refuse(f"the known covariance {term.known_covariance!r} of {bar}", "leave out cov=")
    if term.members or term.membership_weights:
        raise _refuse(f"multiple membership, {bar}", "model one grouping column: (1 | g)")


def _check_distributions(random: tuple[RandomTerm, ...]) -> None:
    """Refuse two distributions in one grouping, and mass points beside one another."""
    kinds: dict[frozenset[str], RandomTerm] = {}
    for term in random:
        other = kinds.setdefault(frozenset(term.grouping), term)
        if (other.distribution, other.points) != (term.distribution, term.points):
            got = f"effects of {term.group} with two distributions"
            raise _refuse(got, "give every term of a grouping the same dist=")
    points = [term for term in random if term.distribution == "points"]
    if len(points) > 1:
        groups = " and ".join(term.group for term in points)
        step = "one term of mass points in a model, (x | gr(g, dist='points', k=3))"
        raise _refuse(f"two terms of mass points, by {groups}", step)


def _refuse(got: str, step: str) -> UnsupportedError:
    return UnsupportedError(message(f"{got}: not implemented yet", _IMPLEMENTED, step))
