"""The marginal log likelihood as a PyTensor operation with its gradient.

The inputs are psi and packed data; the outputs are log p(y | psi) and its gradient, which come
from one call, so that differentiating costs nothing more. PyTensor is imported on first use.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.likelihood import compiled, pack
from bayesmlm.errors import UnsupportedError, message

VERSION = 1
"""Of what `compiled` expects and gives: PyTensor keeps compiled callers by it."""


def log_likelihood(marginal: GaussianMarginal, psi: Any) -> Any:
    """Return log p(y | psi) of a tensor psi, random and fixed effects integrated out.

    Parameters
    ----------
    marginal
        The density. Its arrays become shared variables.
    psi
        Tensor of shape (d,), laid out as `marginal.layout` says.
    """
    import pytensor

    names = ("reals", "real_starts", "wholes", "whole_starts")
    data = [
        pytensor.shared(value, name=f"cross_products_{name}", borrow=True)
        for name, value in zip(names, pack(marginal), strict=True)
    ]
    return operation(marginal.structure.is_nested)(psi, *data)[0]


def operation(is_nested: bool) -> Any:
    """Return the operation of one kind of structure."""
    return operation_class()(is_nested)


@cache
def operation_class() -> Any:
    """Return the class of the operation, made known to PyTensor's Numba backend."""
    import pytensor.tensor as pt
    from pytensor.gradient import DisconnectedType, disconnected_type
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op
    from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

    class MarginalLikelihood(Op):
        """Log likelihood and its gradient, of psi and packed data."""

        __props__ = ("is_nested",)

        def __init__(self, is_nested: bool) -> None:
            self.is_nested = is_nested

        def __reduce__(self) -> Any:  # another process has to register the class too
            return operation, (self.is_nested,)

        def make_node(self, psi: Any, *data: Any) -> Any:
            return Apply(self, [pt.as_tensor(psi), *data], [pt.dscalar(), pt.dvector()])

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            outputs[0][0], outputs[1][0] = compiled(self.is_nested)(*inputs)

        def infer_shape(self, node: Any, shapes: Any) -> Any:
            return [(), shapes[0]]

        def connection_pattern(self, node: Any) -> Any:
            return [[True, True], *[[False, False]] * (len(node.inputs) - 1)]

        def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
            if not isinstance(cotangents[1].type, DisconnectedType):
                raise UnsupportedError(
                    message(
                        "a second derivative of the marginal likelihood",
                        "its value and its gradient",
                        "use a method that needs no Hessian, or differentiate numerically",
                    )
                )
            return [cotangents[0] * outputs[1], *(disconnected_type() for _ in inputs[1:])]

    @register_funcify_default_op_cache_key(MarginalLikelihood)
    def numba_function(op: Any, node: Any = None, **_: Any) -> Any:
        return compiled(op.is_nested), VERSION

    return MarginalLikelihood
