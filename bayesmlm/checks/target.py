"""What a cross-validation leaves out, and what it predicts: rows or groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.grouping import Grouping
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.chain import chain_of, why_not
from bayesmlm.summaries.integrated_likelihood import integrated
from bayesmlm.summaries.row_likelihood import log_likelihood_blocks

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ROW, GROUP = "new row", "new group"


@dataclass(frozen=True)
class Target:
    """Rows or groups to leave out, one at a time or some together.

    Parameters
    ----------
    design
        All rows.
    grouping
        The groups left out; None leaves out rows.
    chain
        Groupings whose effects are integrated out of the likelihood; for rows, the one whose
        groups they are predicted in, or nothing.
    note
        What is to be known of how the likelihood is computed.
    """

    design: Design
    grouping: Grouping | None
    chain: tuple[RandomBlock, ...]
    note: str = ""

    @property
    def predicts(self) -> str:
        """``"new row"`` or ``"new group"``."""
        return ROW if self.grouping is None else GROUP

    @property
    def size(self) -> int:
        """Number of rows or groups."""
        return len(self.design.y) if self.grouping is None else self.grouping.size

    @property
    def labels(self) -> list[object]:
        """Positions of the rows in the data given, or labels of the groups."""
        if self.grouping is None:
            return list(self.design.positions.tolist())
        return list(self.grouping.labels)

    @property
    def conditional(self) -> Target:
        """The same rows, predicted with the effects as drawn."""
        return replace(self, chain=()) if self.grouping is None else self

    def blocks(
        self, result: FitResult, chosen: Integers | None = None
    ) -> Iterator[tuple[Integers, Array]]:
        """Return the log likelihood of each row or group, some at a time.

        Parameters
        ----------
        result
            A fit of all rows or of some of them.
        chosen
            Rows or groups wanted, in increasing order; None returns all.

        Yields
        ------
        items, values
            Positions of rows or codes of groups, and draws of shape (items, S).
        """
        if self.grouping is not None:
            yield from integrated(result, self.grouping, self.chain, self.design).groups(chosen)
            return
        if self.chain:
            lead = self.chain[0].grouping
            groups = None if chosen is None else np.unique(lead.codes[chosen])
            found = integrated(result, lead, self.chain, self.design).rows(groups)
        else:
            found = log_likelihood_blocks(replace(result, design=self.design))
        for rows, values in found:
            wanted = slice(None) if chosen is None else np.isin(rows, chosen)
            yield rows[wanted], values[wanted]

    def without(self, items: Integers) -> Design:
        """Return the design with the likelihood of some items to the power of zero.

        Columns, groups and the priors' reference points stay as they are.
        """
        out = np.isin(np.arange(self.size), items)
        gone = out if self.grouping is None else out[self.grouping.codes]
        rows = self.design.outcome.rows
        weights = np.where(gone, 0.0, rows.get("weights", np.ones(len(gone))))
        outcome = replace(self.design.outcome, rows={**rows, "weights": weights})
        return replace(self.design, outcome=outcome)


def row_target(design: Design) -> Target:
    """Return the target of predicting a row of a known group."""
    if not design.random:
        return Target(design, None, ())
    lead = max(design.random, key=lambda block: block.grouping.size)
    reason = why_not(design, (lead,))
    if reason is None:
        return Target(design, None, (lead,), f"effects by {lead.name} integrated out")
    return Target(design, None, (), f"given the effects as drawn: {reason}")


def group_target(design: Design, grouping: Grouping | None) -> Target:
    """Return the target of predicting all rows of a group without any of its own.

    Parameters
    ----------
    design
        The model.
    grouping
        The groups; None takes the outermost grouping.

    Raises
    ------
    StatisticError
        For crossed groupings of which none is named, or effects that do not integrate out.
    """
    chosen = outermost(design) if grouping is None else grouping
    chain = chain_of(design, chosen)
    reason = why_not(design, chain)
    if reason is not None:
        raise StatisticError(
            message(
                f"leaving out groups of {chosen.name}: {reason}",
                "groups whose effects integrate out of the likelihood",
                'leave rows out instead: predict="new row"',
            )
        )
    held = [block.name for block in design.random if block not in chain]
    note = f"effects by {', '.join(b.name for b in chain)} integrated out" if chain else ""
    if held:
        note += f", those by {', '.join(held)} known"
    return Target(design, chosen, chain, note)


def outermost(design: Design) -> Grouping:
    """Return the grouping that lies in no other.

    Raises
    ------
    StatisticError
        Without groupings, or with several.
    """
    found = [level.grouping for level in design.levels.levels if not level.nested_in]
    if len(found) == 1:
        return found[0]
    if not found:
        raise StatisticError(
            message(
                "leaving out groups of a model without groupings",
                "models with random effects",
                'ask for predict="new row"',
            )
        )
    both = " and ".join(grouping.name for grouping in found)
    raise StatisticError(
        message(
            f"leaving out groups of {both}, which are crossed: no group's rows stand alone",
            "one grouping by name, new groups of which meet the known ones of the others",
            f"name it: group={found[0].name!r}",
        )
    )
