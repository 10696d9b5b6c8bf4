"""Locations as PyTensor tensors, stable in the tails."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmlm.families.link import Link


def log_normal_cdf(x: Any) -> Any:
    """Return log Phi(x) as a tensor.

    PyMC's own takes the square root of 2 in single precision. Each branch sees only values
    that suit it: the gradient of an overflow is not a number, even where it is not taken.
    """
    import pytensor.tensor as pt

    low, high = pt.minimum(x, -1.0) / np.sqrt(2), pt.maximum(x, -1.0) / np.sqrt(2)
    tail = pt.log(pt.erfcx(-low) / 2) - low**2
    return pt.switch(pt.lt(x, -1.0), tail, pt.log1p(-pt.erfc(high) / 2))


def log_one_minus_exp(x: Any) -> Any:
    """Return log(1 - exp(-x)) of positive x as a tensor."""
    import pytensor.tensor as pt

    near, far = pt.minimum(x, 0.6), pt.maximum(x, 0.6)
    return pt.switch(pt.lt(x, 0.6), pt.log(-pt.expm1(-near)), pt.log1p(-pt.exp(-far)))


def log_probabilities(eta: Any, link: Link) -> tuple[Any, Any]:
    """Return log F(eta) and log(1 - F(eta)), F the inverse of the link, as tensors."""
    import pytensor.tensor as pt

    if link.name == "logit":
        return -pt.softplus(-eta), -pt.softplus(eta)
    if link.name == "probit":
        return log_normal_cdf(eta), log_normal_cdf(-eta)
    t = pt.exp(eta)
    # log(1 - exp(-t)) is eta - t / 2 near zero, where t may underflow
    return pt.switch(
        pt.lt(eta, -20.0), eta - t / 2, log_one_minus_exp(pt.exp(pt.maximum(eta, -20.0)))
    ), -t


def log_odds(eta: Any, link: Link) -> Any:
    """Return the log odds of success as a tensor, without overflow in either tail."""
    if link.name == "logit":
        return eta
    log_p, log_q = log_probabilities(eta, link)
    return log_p - log_q


def log_mean(eta: Any, link: Link) -> Any:
    """Return the logarithm of a positive mean as a tensor, NaN where it is not positive."""
    import pytensor.tensor as pt

    if link.name == "log":
        return eta
    power = {"identity": 1.0, "sqrt": 2.0, "inverse": -1.0}[link.name]
    return power * pt.log(eta)
