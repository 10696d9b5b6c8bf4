"""What every engine returns: the model it fitted and its draws in one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesmlm.design import Design
from bayesmlm.errors import SpecError, message
from bayesmlm.priors import Priors
from bayesmlm.spec.render import formulas_text
from bayesmlm.spec.terms import ModelSpec

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class FitResult:
    """A fitted model.

    Parameters
    ----------
    spec, design, priors
        The model.
    tree
        ArviZ's `xarray.DataTree`: ``posterior``, ``sample_stats``, ``observed_data`` and
        ``constant_data``. The posterior holds equally weighted draws of ``beta``, ``sigma``
        and, per grouping, ``sd_<group>``, ``corr_<group>`` and ``u_<group>``. Where the
        effects of the largest grouping were not kept, ``unconstrained_posterior`` holds what
        they are drawn from again; `bayesmlm.effects` returns them either way.
    engine
        The engine, as a value.
    seed
        The seed used.
    seconds
        Wall time by stage.
    notes
        What the engine has to tell.
    """

    spec: ModelSpec
    design: Design
    priors: Priors
    tree: xr.DataTree
    engine: Any
    seed: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<bayesmlm.FitResult {formulas_text(self.spec)} by {self.engine.name}>"

    @property
    def posterior(self) -> xr.Dataset:
        """The posterior draws."""
        return self.tree["posterior"].to_dataset()

    def only_group(self, group: str | None) -> str:
        """Return the grouping named, or the only one.

        Raises
        ------
        SpecError
            If none is named and the model has none or several.
        """
        known = [block.name for block in self.design.random or self.design.blocks]
        if group is not None:
            return self.design.any_block(group).name
        if len(known) != 1:
            raise SpecError(
                message(
                    f"no group named, in a model with {len(known)} groupings",
                    ", ".join(map(repr, known)) or "models with random effects",
                    "pass one of these names" if known else "add a term such as (1 | group)",
                )
            )
        return known[0]
