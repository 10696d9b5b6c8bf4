"""A model's equations, as text and as LaTeX, with its priors and, of a fit, its estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bayesmlm.errors import SpecError, message
from bayesmlm.priors import Priors
from bayesmlm.reports.levels import in_words
from bayesmlm.reports.mathml import mathml, plain
from bayesmlm.reports.numbers import Estimates
from bayesmlm.reports.prior_lines import prior_latex, prior_lines
from bayesmlm.reports.vocabulary import Vocabulary, words
from bayesmlm.spec.gelman_hill import gelman_hill
from bayesmlm.spec.latent_means import submodel_text
from bayesmlm.spec.render import combined_text, equations_text, formulas_text, latex
from bayesmlm.spec.terms import ModelSpec

NOTATIONS = ("raudenbush-bryk", "gelman-hill")


@dataclass(frozen=True)
class Equations:
    """The equations of a model.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping on whose level each factor lives.
    priors
        Its priors, which are printed below the equations.
    estimates
        Of a fit.
    vocabulary
        Chosen when the equations were asked for; it decides the notation of the LaTeX.
    """

    spec: ModelSpec
    levels: Mapping[str, tuple[str, ...]]
    priors: Priors | None = None
    estimates: Estimates | None = None
    vocabulary: Vocabulary = field(default_factory=words)

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
        return formulas_text(self.spec)

    @property
    def gelman_hill(self) -> str:
        """The notation of Gelman and Hill as text, for reading."""
        return plain(gelman_hill(self.spec, self.levels))

    def latex(self, form: str = "levels", notation: str | None = None) -> str:
        """Return the model in LaTeX.

        Parameters
        ----------
        form
            ``"levels"`` or ``"combined"``; ``"estimates"``, the numbers of a fit in the
            level-wise equations; ``"priors"``.
        notation
            ``"raudenbush-bryk"``, or ``"gelman-hill"``, which writes distributions and has no
            combined form. None follows the vocabulary.

        Raises
        ------
        SpecError
            For a form or notation that does not exist here.
        """
        chosen = self.vocabulary.notation if notation is None else notation
        if chosen not in NOTATIONS:
            raise SpecError(
                message(f"the notation {notation!r}", " or ".join(NOTATIONS), "name one of these")
            )
        if form == "estimates" and self.estimates is not None:
            return self.estimates.latex
        if form == "priors" and self.priors is not None:
            return prior_latex(prior_lines(self.priors))
        if form == "levels" and chosen == "gelman-hill":
            return gelman_hill(self.spec, self.levels)
        return latex(self.spec, self.levels, form=form)

    @property
    def forms(self) -> tuple[str, ...]:
        """What there is to show: ``levels``, ``priors`` and, of a fit, ``estimates``."""
        shown = ["levels"]
        shown += ["priors"] if self.priors is not None and self.priors.coefficients else []
        return (*shown, *(["estimates"] if self.estimates is not None else []))

    def html(self) -> str:
        """Return the equations as MathML, which a browser shows without network or script."""
        return "\n".join(mathml(self.latex(form)) for form in self.forms)

    def named(self, text: str) -> str:
        """Return equations with the vocabulary's names of the coefficients."""
        return in_words(text, self.spec, self.levels, self.vocabulary)

    def __str__(self) -> str:
        gelman = self.vocabulary.notation == "gelman-hill"
        written = f"{self.named(self.text)}\n\ncombined: {self.named(self.combined)}"
        parts = [self.gelman_hill if gelman else written]
        submodel = submodel_text(self.spec.response.mu)
        if submodel and not gelman:
            parts.append("\n".join(["latent group means:", *(f"  {line}" for line in submodel)]))
        if self.priors is not None:
            lines = prior_lines(self.priors)
            width = max((len(name) for name, _ in lines), default=0)
            shown = "\n".join(f"  {name:<{width}} ~ {what}" for name, what in lines)
            parts.append(f"priors:\n{shown}")
        if self.estimates is not None:
            parts.append(f"estimates:\n{self.named(self.estimates.text)}")
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return "\n\n".join(f"$$\n{self.latex(form)}\n$$" for form in self.forms)
