"""Names of coefficients and random effects: `b0`, `γ₀₁`, `u0`."""

from __future__ import annotations

import re
from unicodedata import normalize

_NAME = re.compile(r"[^\W\d]\w*")
_RANDOM = re.compile(r"[uvreεζδ]\d*")
_INDEX_LETTERS = "ᵢⱼₖₗₘ"


def label(text: str) -> str | None:
    """Return a name in its plain form, or None if the text is not one name.

    Subscript digits become digits and subscript letters, which count units, are dropped:
    ``γ₀₁`` is ``γ01`` and ``u₀ⱼ`` is ``u0``.
    """
    stripped = text.strip()
    if _NAME.fullmatch(stripped) is None:
        return None
    name = normalize("NFKC", stripped.rstrip(_INDEX_LETTERS))
    return name if name.isidentifier() else None


def is_random(name: str) -> bool:
    """Return whether a bare name is a random effect (at level 1: the residual)."""
    return _RANDOM.fullmatch(name) is not None
