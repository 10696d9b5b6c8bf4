"""A model's equations, as text and as LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesmlm.spec.render import combined_text, equations_text, formula_text, latex
from bayesmlm.spec.terms import ModelSpec


@dataclass(frozen=True)
class Equations:
    """The equations of a model in both forms.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping on whose level each factor lives.
    """

    spec: ModelSpec
    levels: Mapping[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        """The level-wise equations, in the language that `equations` reads.

        Of a family that no left side declares they are for reading: ``student[identity](y) = …``.
        """
        return equations_text(self.spec, self.levels, strict=False)

    @property
    def combined(self) -> str:
        """The combined (mixed) equation, with its cross-level interactions."""
        return combined_text(self.spec, self.levels)

    @property
    def formula(self) -> str:
        """The formula, in the language that `formula` reads."""
        return formula_text(self.spec)

    def latex(self, form: str = "levels") -> str:
        """Return LaTeX in Raudenbush and Bryk's notation.

        Parameters
        ----------
        form
            ``"levels"`` or ``"combined"``.
        """
        return latex(self.spec, self.levels, form=form)

    def __str__(self) -> str:
        return f"{self.text}\n\ncombined: {self.combined}"

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"
