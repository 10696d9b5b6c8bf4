"""The house of DESIGN.md: a file imports lower floors and its own folder, never upwards."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import bayesmlm as mlm

ROOT = Path(mlm.__file__).parent
TESTS = Path(__file__).parent

FLOORS = (
    ("errors", "names"),
    ("spec", "datasets", "parallel"),
    ("families",),
    ("design",),
    ("priors",),
    ("graph",),
    ("density",),
    ("result",),
    ("effects",),
    ("engines",),
    ("predict", "saving"),
    ("summaries",),
    ("checks",),
    ("plots",),
    ("reports",),
    (
        "fit_held",
        "fit_estimates",
        "fit_statistics",
        "fit_predictions",
        "fit_checks",
        "fit",
        "model_inputs",
        "model_graph",
        "model",
        "mass_points",
        "gallery",
        "engine_comparison",
        "outcomes",
        "side_by_side",
        "ranking",
        "study",
        "model_source",
        "output",
        "demo",
        "commands",
        "cli",
        "__main__",
        "__init__",
    ),
)
"""Top-level names of each floor, the ground floor first."""

TOP = FLOORS[-1]
"""The top floor is in order: there an import goes to a name listed before."""

TOLD_ELSEWHERE = {
    "families": ("conformance", "every family by the laws of all"),
    "result": ("test_fit.py", "a FitResult is what a Fit holds"),
    "fit_held": ("test_fit.py", "what a Fit holds"),
    "fit_estimates": ("test_fit.py", "methods of a Fit"),
    "fit_statistics": ("test_fit.py", "methods of a Fit"),
    "fit_predictions": ("test_fit.py", "methods of a Fit"),
    "fit_checks": ("test_fit.py", "methods of a Fit"),
    "model_inputs": ("test_model.py", "what a Model refuses"),
    "model_graph": ("test_model.py", "Model.to_pymc() and prior_predictive()"),
    "reports/equations": ("test_model.py", "Model.equations() is one"),
    "reports/summary": ("test_fit.py", "Fit.summary() is one"),
}
"""Folders and files tested under another name, and why."""

EXTRA_TESTS = {
    "design/test_scale.py",
    "engines/test_engines.py",
    "spec/test_properties.py",
    "spec/test_twins.py",
}
"""Test files of no single source file."""

SOURCES = sorted(ROOT.rglob("*.py"))
PACKAGES = sorted(path.parent for path in ROOT.rglob("__init__.py") if path.parent != ROOT)


def place(path):
    """Return the folder or top-level file that a source file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name):
    found = [number for number, names in enumerate(FLOORS) if name in names]
    assert found, f"{name} stands on no floor: add it to the map in {Path(__file__).name}"
    return found[0]


def module(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(tree, deferred=False):
    """Yield (module, names, line, deferred) of imports that run, in functions too."""
    for node in ast.iter_child_nodes(tree):
        inside = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(node, ast.Import):
            yield from ((alias.name, (), node.lineno, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            names = tuple(alias.name for alias in node.names)
            yield node.module, names, node.lineno, inside
        elif not is_type_checking(node):
            yield from imports(node, inside)


def own_imports(path):
    """Yield (imported module of bayesmlm, line, deferred)."""
    known = {module(source) for source in SOURCES}
    for name, names, line, deferred in imports(ast.parse(path.read_text())):
        if name.partition(".")[0] != "bayesmlm":
            continue
        for part in names or ("",):
            if (name, part) != ("bayesmlm", "__version__"):  # a constant
                yield f"{name}.{part}" if f"{name}.{part}" in known else name, line, deferred


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    here = place(path)
    for found, line, deferred in own_imports(path):
        there = found.split(".")[1] if "." in found else "__init__"
        where = f"{path.relative_to(ROOT)}:{line} imports {found}"
        assert not deferred, f"{where} inside a function"
        if here == there:
            continue
        if here in TOP and there in TOP:
            # the demo is a user: it imports the public surface
            allowed = here == "demo" or TOP.index(there) < TOP.index(here)
            assert allowed, f"{where}, which comes later in the order of the top floor"
        else:
            assert floor(there) < floor(here), f"{where}, which is not on a lower floor"


def test_no_circles():
    edges = {module(path): {found for found, _, _ in own_imports(path)} for path in SOURCES}
    # what a package's __init__ gathers is not what its files need
    edges = {
        name: {other for other in others if other != name.rpartition(".")[0]}
        for name, others in edges.items()
    }
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for other in sorted(edges.get(name, ())):
            visit(other)
        path.pop()
        done.add(name)

    for name in sorted(edges):
        visit(name)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_a_folder_do_not_import_through_its_front_door(path):
    """`from bayesmlm.design import X` inside design/ would be a circle."""
    if path.name == "__init__.py":
        return
    package = module(path).rpartition(".")[0]
    assert package == "bayesmlm" or package not in {found for found, _, _ in own_imports(path)}


def test_public_functions_do_not_share_a_name_with_a_subpackage():
    subpackages = {path.name for path in PACKAGES if path.parent == ROOT}
    assert not subpackages & (set(mlm.__all__) - set(mlm._MODULES))
    for package in subpackages:
        inner = importlib.import_module(f"bayesmlm.{package}")
        below = {name for _, name, is_package in pkgutil.iter_modules(inner.__path__) if is_package}
        assert not below & set(getattr(inner, "__all__", ()))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_folder_has_tests(package):
    name = str(package.relative_to(ROOT))
    folder = TESTS / TOLD_ELSEWHERE.get(name, (name,))[0]
    assert list(folder.glob("test_*.py")), f"tests/{folder.name} has no tests"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_a_folder_is_reached_by_its_tests(package):
    """Imported by a test of the mirror folder, directly or through files of the folder."""
    name = str(package.relative_to(ROOT))
    if name in TOLD_ELSEWHERE:
        return
    told = {ROOT / f"{other}.py" for other in TOLD_ELSEWHERE}
    sources = {module(path): path for path in package.glob("*.py")}
    mirror, front = TESTS / name, f"bayesmlm.{name}"
    todo = [found for test in mirror.rglob("*.py") for found, _, _ in own_imports(test)]
    todo += [f"{front}.{test.stem[5:]}" for test in mirror.glob("test_*.py")]
    reached = set()
    while todo:
        found = todo.pop()
        if found in reached:
            continue
        reached.add(found)
        if found == "bayesmlm":  # the public surface reaches what it gathers
            todo += [where for where in (*mlm._WHERE.values(), front) if where in sources]
        elif found in sources:
            todo += [inner for inner, _, _ in own_imports(sources[found]) if inner in sources]
    untold = {found for found, path in sources.items() if path not in told}
    left = untold - reached - {front, f"{front}.__main__"}
    assert not left, f"no test in tests/{name} reaches {sorted(left)}"


def test_every_top_level_file_has_a_test_file():
    files = {path.stem for path in ROOT.glob("*.py")} - {"__init__", "__main__"}
    tested = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert files - tested <= set(TOLD_ELSEWHERE)


def test_every_test_file_is_called_as_what_it_tests():
    known = {str(path.relative_to(ROOT).parent / f"test_{path.name}") for path in SOURCES}
    known |= {f"{path.relative_to(ROOT)}/test_{path.name}.py" for path in PACKAGES}
    suites = {"golden", "conformance", "properties", "benchmarks"}
    for test in TESTS.rglob("*/test_*.py"):
        name = str(test.relative_to(TESTS))
        assert name in known | EXTRA_TESTS or test.parent.name in suites, f"tests/{name} of what?"
