"""Engines: one file each, listed in `ENGINES`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bayesmlm.engines.advi import ADVI
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.laplace import Laplace
from bayesmlm.engines.ml import ML, REML
from bayesmlm.engines.npml import NPML
from bayesmlm.engines.nuts import NUTS
from bayesmlm.engines.pathfinder import Pathfinder
from bayesmlm.engines.progress import Progress, is_interactive
from bayesmlm.engines.quadrature import Quadrature
from bayesmlm.engines.quasi import MQL, PQL
from bayesmlm.errors import EngineError, message, suggestion

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine
    for engine in (NUTS, Laplace, Quadrature, ADVI, Pathfinder, ML, REML, PQL, MQL, NPML)
}


def engine(choice: str | Engine, **options: Any) -> Engine:
    """Return an engine from its short name and options, or the engine given.

    Raises
    ------
    EngineError
        For an unknown engine or option, or options beside an engine that has its own.
    """
    if isinstance(choice, Engine):
        if options:
            raise EngineError(
                message(
                    f"options {', '.join(options)} beside {choice}",
                    "options inside the engine",
                    f"write {type(choice).__name__}({', '.join(f'{k}=…' for k in options)})",
                )
            )
        return choice
    if not isinstance(choice, str) or choice not in ENGINES:
        raise EngineError(
            message(
                f"unknown engine {choice!r}{suggestion(str(choice).lower(), ENGINES)}",
                ", ".join(map(repr, ENGINES)),
                "pass one of these names, or an engine such as bayesmlm.NUTS(draws=2000)",
            )
        )
    kind = ENGINES[choice]
    known = [field.name for field in fields(kind)]
    for option in options:
        if option not in known:
            raise EngineError(
                message(
                    f"unknown option {option!r} of {choice}{suggestion(option, known)}",
                    ", ".join(known) or f"none: {choice} has no options",
                    "correct the name, or leave it out",
                )
            )
    return kind(**options)


__all__ = [
    "ADVI",
    "ENGINES",
    "ML",
    "MQL",
    "NPML",
    "NUTS",
    "PQL",
    "REML",
    "Engine",
    "Laplace",
    "Pathfinder",
    "Progress",
    "Quadrature",
    "engine",
    "is_interactive",
]
