"""A further parameter's linear predictor to its value on the whole line, compiled.

Kernels take a positive parameter as its logarithm and a probability as its log odds.
"""

from __future__ import annotations

import math

from numba import njit

from bayesmlm.families.link import Link
from bayesmlm.families.log_location import CLOGLOG, PROBIT, log_complement, log_probability
from bayesmlm.families.parameter import POSITIVE, REAL, Parameter

AS_IT_IS, OF_POSITIVE, OF_UNIT, OF_PROBIT, OF_CLOGLOG = range(5)


def line_code(parameter: Parameter, link: Link) -> int:
    """Return the code of a parameter's link in `to_line`."""
    if parameter.support == REAL:
        return AS_IT_IS
    codes = {"log": AS_IT_IS, "logit": AS_IT_IS, "probit": OF_PROBIT, "cloglog": OF_CLOGLOG}
    return codes.get(link.name, OF_POSITIVE if parameter.support == POSITIVE else OF_UNIT)


@njit(cache=True, nogil=True, error_model="numpy")
def to_line(code, eta):
    """Return the value on the line and its slope in eta, NaN where there is none."""
    if code == AS_IT_IS:
        return eta, 1.0
    if code == OF_POSITIVE:
        return (math.log(eta), 1.0 / eta) if eta > 0.0 else (math.nan, math.nan)
    if code == OF_UNIT:
        if eta <= 0.0 or eta >= 1.0:
            return math.nan, math.nan
        return math.log(eta) - math.log1p(-eta), 1.0 / (eta * (1.0 - eta))
    link = PROBIT if code == OF_PROBIT else CLOGLOG
    inside, slope, _, _ = log_probability(link, eta)
    outside, fall, _, _ = log_complement(link, eta)
    return inside - outside, slope - fall
