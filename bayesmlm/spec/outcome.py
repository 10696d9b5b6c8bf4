"""The left side of a level-1 equation: the response inside its link."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.expression import variables
from bayesmlm.spec.response import additions as read_additions
from bayesmlm.spec.response import left_side
from bayesmlm.spec.scan import closing, excerpt, split
from bayesmlm.spec.terms import CANONICAL_LINKS, PARAMETER_LINKS, Response

LINKS = ("identity", "logit", "probit", "log")
"""The links that a left side may name; each stands for a family."""


@dataclass(frozen=True)
class Outcome:
    """What the left side of the level-1 equation declares."""

    column: str
    family: str
    link: str
    additions: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns named."""
        expressions = (self.column, *(expression for _, expression in self.additions))
        return tuple(name for expression in expressions for name in variables(expression))


def outcome(text: str) -> Outcome:
    """Read `y`, `identity(y | se(s))`, `logit(r | trials(n))`, `log(y)`.

    Parameters
    ----------
    text
        The left side of the level-1 equation.
    """
    link, inside, after = _link(text)
    column, additions = left_side(inside)
    if after:
        if additions:
            raise _refuse(text, "put all additions inside the link")
        additions = read_additions(after)
    return Outcome(column, _family(link, dict(additions), text), link, additions)


def outcome_text(response: Response, strict: bool = True) -> str:
    """Write the left side of the level-1 equation; see `predictor_text` for the right one.

    Parameters
    ----------
    response
        The outcome.
    strict
        Refuse a family that no left side declares; otherwise it is written for reading, as
        ``student[identity](y)``, of ordered categories ``logit(P(y <= k))``.
    """
    link = response.link or CANONICAL_LINKS.get(response.family, "identity")
    added = " + ".join(f"{name}({value})" for name, value in response.additions)
    inside = f"{response.column} | {added}" if added else response.column
    if not is_sayable(response):
        if not strict and response.ordered:
            below = f"P({response.column} <= k)"
            return f"{link}({below} | {added})" if added else f"{link}({below})"
        if not strict:
            return f"{response.family}[{link}]({inside})"
        raise SpecError(
            message(
                f"the family {response.family!r} with the link {link!r}",
                "gaussian (y), bernoulli and binomial with trials (logit, probit), poisson (log)",
                "write the model as a formula, and give the family apart",
            )
        )
    if link == "identity" and not re.match(rf"(?:{'|'.join(LINKS)})\s*\(", inside):
        return inside
    return f"{link}({inside})"


def predictor_text(response: Response, eta: str) -> str:
    """Write the right side of the level-1 equation.

    Parameters
    ----------
    response
        The outcome.
    eta
        The linear predictor, which ordered categories have under their thresholds:
        ``thresholds[k] - (b0 + b1*x)``.
    """
    if not response.ordered:
        return eta
    if eta == "0":
        return "thresholds[k]"
    return f"thresholds[k] - ({eta})" if " " in eta else f"thresholds[k] - {eta}"


def parameter_text(response: Response, parameter: str) -> str:
    """Write the left side of a further parameter's equation: ``log(sigma)``."""
    own = dict(response.predictors)[parameter].link or PARAMETER_LINKS.get(parameter)
    return parameter if own in (None, "identity") else f"{own}({parameter})"


def is_sayable(response: Response) -> bool:
    """Return whether a left side declares the response's family and link."""
    link = response.link or CANONICAL_LINKS.get(response.family, "identity")
    additions = dict(response.additions)
    if link not in LINKS or ("trials" in additions and link not in ("logit", "probit")):
        return False
    return response.family == _family(link, {k: v for k, v in additions.items() if k != "se"}, "")


def _link(text: str) -> tuple[str, str, str]:
    """Split `link(inside) | additions`; a side without a link has the identity."""
    pieces = [piece for _, piece in split(text, ["|"])]
    head = re.match(rf"({'|'.join(LINKS)})\s*\(", pieces[0])
    if head is None or len(pieces) > 2:
        return "identity", text, ""
    opening = head.end() - 1
    if closing(pieces[0], opening) != len(pieces[0]) - 1:
        return "identity", text, ""
    return head[1], pieces[0][opening + 1 : -1], pieces[1] if len(pieces) == 2 else ""


def _family(link: str, additions: dict[str, str], text: str) -> str:
    if link == "identity":
        family = "gaussian"
    elif link == "log":
        family = "poisson"
    else:
        family = "binomial" if "trials" in additions else "bernoulli"
    if "trials" in additions and family != "binomial":
        raise _refuse(text, "trials() counts what is modelled as logit(r | trials(n))")
    if "se" in additions and family != "gaussian":
        raise _refuse(text, "se() is the known SD of a gaussian response: y | se(s)")
    return family


def _refuse(text: str, step: str) -> SpecError:
    return SpecError(
        message(
            f"the left side {excerpt(text)!r}",
            "y, logit(y), probit(y), log(y), identity(y), with additions: logit(r | trials(n))",
            step,
        )
    )
