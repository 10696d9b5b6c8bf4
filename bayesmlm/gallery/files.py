"""Model files: where they lie, and TOML read into an `Entry`, every key checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from bayesmlm.engines import engine as engine_of
from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.gallery.entry import KINDS, Entry, Published
from bayesmlm.priors import LKJ, Prior
from bayesmlm.reports.toml import read_prior

TOP = ("title", "question", "note", "data", "model", "priors", "engine", "published")
TABLES = {
    "data": ("dataset", "file", "rows", "missing"),
    "model": ("formula", "equations", "family", "link"),
    "published": ("source", "kind", "estimates", "derived"),
}
FIGURE = ("estimate", "se", "kind", "source", "generating")


def folder() -> Path:
    """Return the folder of the model files: in the package, or at the top of its repository."""
    inside = Path(str(files("bayesmlm"))) / "models"
    return inside if inside.is_dir() else inside.parents[1] / "models"


def available() -> tuple[str, ...]:
    """Return the names of the models of the gallery."""
    return tuple(sorted(path.stem for path in folder().glob("*.toml")))


def read(name_or_path: str | Path) -> Entry:
    """Read a model file.

    Parameters
    ----------
    name_or_path
        The name of a model of the gallery, or the path of a file that ends in ``.toml``.

    Raises
    ------
    SpecError
        For an unknown name, a file that is not there or not TOML, or an unknown key.
    PriorError, EngineError
        For a prior that cannot be read, an unknown engine or an option that it lacks.
    """
    path = locate(name_or_path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise refuse(path, f"no TOML: {error}", "TOML", "correct the file there") from None
    except UnicodeDecodeError:
        raise refuse(path, "no text in UTF-8", "TOML", "save it as UTF-8") from None
    except OSError as error:
        raise refuse(
            path, f"not readable: {error.strerror}", "a file", "correct the path"
        ) from None
    return entry(path, content)


def locate(name_or_path: str | Path) -> Path:
    """Return the file of a name or path."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise SpecError(
                message(f"no model file {text!r}", "a file that exists", "correct the path")
            )
        return path
    if text not in available():
        raise SpecError(
            message(
                f"unknown model {text!r}{suggestion(text, available())}",
                ", ".join(available()) or "none: the model files are not found",
                "pass one of these names, or the path of a .toml file",
            )
        )
    return folder() / f"{text}.toml"


def entry(path: Path, content: Mapping[str, Any]) -> Entry:
    """Return the entry that the content of a file describes."""
    check_keys(path, content, TOP, "the file")
    parts = {title: table(path, content, title) for title in TOP[3:]}
    for title, known in TABLES.items():
        check_keys(path, parts[title], known, f"[{title}]")
    model, data, engine = parts["model"], parts["data"], dict(parts["engine"])
    if "formula" not in model and "equations" not in model:
        raise refuse(
            path, "no model", "[model] with formula or equations or both", "write one of them"
        )
    texts = {name: string(path, content, name, "the file") for name in TOP[:3]}
    name, slow = str(engine.pop("name", "nuts")), engine.pop("slow", None)
    engine_of(name, **{key: value for key, value in engine.items() if key != "seed"})
    return Entry(
        name=path.stem,
        path=path,
        **{key: text.strip() for key, text in texts.items() if text is not None},
        **strings(path, data, "data"),
        **strings(path, model, "model"),
        priors={key: prior(path, key, text) for key, text in parts["priors"].items()},
        engine=name,
        options=engine,
        slow=None if slow is None else str(slow),
        published=figures(path, parts["published"], "estimates"),
        derived=figures(path, parts["published"], "derived"),
    )


def table(path: Path, content: Mapping[str, Any], title: str) -> Mapping[str, Any]:
    """Return a table of the file, empty where it has none."""
    found = content.get(title, {})
    if not isinstance(found, dict):
        raise refuse(path, f"{title} = {found!r}", f"a table [{title}]", "write it as a table")
    return found


def strings(path: Path, values: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Return the values of a table, all of them text."""
    return {name: string(path, values, name, f"[{title}]") for name in values}


def string(path: Path, values: Mapping[str, Any], name: str, where: str) -> str | None:
    """Return a text, or None where there is none."""
    found = values.get(name)
    if found is not None and not isinstance(found, str):
        raise refuse(path, f"{name} = {found!r} in {where}", "text", f"put {name} in quotes")
    return found


def prior(path: Path, name: str, text: Any) -> Prior | LKJ:
    """Return a prior of the file."""
    if not isinstance(text, str):
        got = f"{name} = {text!r} in [priors]"
        raise refuse(path, got, "text such as 'HalfNormal(1)'", "put it in quotes")
    return read_prior(text)


def figures(path: Path, content: Mapping[str, Any], title: str) -> tuple[Published, ...]:
    """Return the published figures under one title."""
    return tuple(
        figure(path, name, value if isinstance(value, dict) else {"estimate": value}, content)
        for name, value in table(path, content, title).items()
    )


def figure(
    path: Path, name: str, values: Mapping[str, Any], shared: Mapping[str, Any]
) -> Published:
    """Return one figure; what it does not say of its kind and source, the table says."""
    where = f"[published] {name}"
    check_keys(path, values, FIGURE, where)
    for key in ("estimate", "se", "generating"):
        number = values.get(key, None if key != "estimate" else "missing")
        if number is not None and (not isinstance(number, int | float) or number is True):
            raise refuse(path, f"{key} = {number!r} in {where}", "a number", f"give {key} one")
    texts = {key: values.get(key, shared.get(key, "")) for key in ("kind", "source")}
    if texts["kind"] not in KINDS:
        raise refuse(path, f"kind = {texts['kind']!r} in {where}", ", ".join(KINDS), "say which")
    if not isinstance(texts["source"], str) or not texts["source"]:
        raise refuse(path, f"no source of {where}", "text", "say where it was published")
    numbers = {key: values[key] for key in ("estimate", "se", "generating") if key in values}
    return Published(name, **numbers, **texts)


def check_keys(path: Path, values: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse a key that means nothing."""
    for name in values:
        if name not in known:
            raise refuse(
                path,
                f"the unknown key {name!r}{suggestion(name, known)} in {where}",
                ", ".join(known),
                "correct or remove it",
            )


def refuse(path: Path, got: str, allowed: str, step: str) -> SpecError:
    """Return the error of a file."""
    return SpecError(message(f"{path.name}: {got}", allowed, step))
