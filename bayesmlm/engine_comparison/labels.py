"""What engines that are compared are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from bayesmlm.engines import Engine, engine
from bayesmlm.errors import EngineError, message


def labelled(engines: Any) -> dict[str, Engine]:
    """Return the engines by their labels: names, with options where a name occurs twice."""
    if isinstance(engines, str | Engine) or not isinstance(engines, Sequence) or not engines:
        got = f"engines={engines!r}"
        allowed = "a list of engines or their names"
        raise EngineError(message(got, allowed, 'for example ["nuts", "laplace", "ml"]'))
    found: dict[str, Engine] = {}
    values = [engine(each) for each in engines]
    alike = [value.name for value in values]
    for value in values:
        label = value.name if alike.count(value.name) == 1 else described(value)
        if label in found:
            raise EngineError(
                message(f"{label} twice", "each engine once", "leave one out, or change an option")
            )
        found[label] = value
    return found


def described(value: Engine) -> str:
    """Return an engine's name with the options that are not the defaults."""
    plain = type(value)()
    options = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if getattr(value, field.name) != getattr(plain, field.name)
    ]
    return f"{value.name}({', '.join(options)})" if options else value.name
