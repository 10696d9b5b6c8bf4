"""What a check found wrong, and the next step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    what
        What was found.
    next_step
        What to do about it.
    """

    what: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.what}\n    next: {self.next_step}"


def listed(findings: tuple[Finding, ...]) -> str:
    """Return findings as an indented list."""
    return "\n".join(f"  - {finding}" for finding in findings)
