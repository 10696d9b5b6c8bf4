"""Factor expressions: `x`, `bs(x, df=4)`, `within(x, g)`. A small language, not Python.

A factor is read by :mod:`ast`, held against a list of what is allowed, and written back in
one form, so that `bs(x,df = 4)` and `bs(x, df=4)` are one factor. Nothing here evaluates it.
"""

from __future__ import annotations

import ast
import keyword
import re
from functools import lru_cache
from unicodedata import normalize

from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.spec.scan import check_text, closing, excerpt

TRANSFORMS = (
    "I", "C", "bs", "cr", "cc", "cs", "poly", "center", "scale",
    "log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs",
)  # fmt: skip
CENTRING = ("within", "between", "latent", "grand")
FUNCTIONS = TRANSFORMS + CENTRING
CONTRASTS = ("treatment", "sum", "helmert", "poly", "diff")

ELSEWHERE = {
    "offset": "an offset is a summand of its own: + offset(x)",
    "factor": "write C(x) for a factor",
    "ordered": "write C(x) for a factor; of an ordered response make ordered categories of it",
    "s": "write bs(x, df=5) or cr(x, df=5) for a smooth curve",
    "ns": "write cr(x, df=4) for a natural spline",
    "cbind": "write successes | trials(n) on the left side, with a column of the trials",
    "logit": 'leave logit() out: family="bernoulli" or "binomial" has this link by itself',
    "probit": 'leave probit() out, and pass link="probit"',
    "cloglog": 'leave cloglog() out, and pass link="cloglog"',
    "ln": "write log(x)",
}
"""What other languages call a function -> what to write here."""

MAX_FACTOR_LENGTH = 1_000
MAX_TREE_DEPTH = 60

_ALLOWED = (
    "column names (`odd names` in backticks), numbers, arithmetic, comparisons and the functions "
    + ", ".join(FUNCTIONS)
)
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>`[^`\n]+`)
      | (?P<string>'[^'\\\n]*' | "[^"\\\n]*")
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<other>\*\*|//|[<>=!]=|[-+*/%<>=(),.\[\]])
    )""",
    re.VERBOSE,
)
_CONSTANTS = ("True", "False", "None")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod, ast.FloorDiv)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def normalise(expr: str) -> str:
    """Return the one way to write a factor expression.

    Parameters
    ----------
    expr
        A column name, or an expression of columns in the allowed functions and operators.

    Returns
    -------
    str
        The expression with standard spacing and quotes; names that Python cannot spell stay
        in backticks.

    Raises
    ------
    SpecError
        If anything in it is not allowed.
    """
    return _read(expr)[0]


def variables(expr: str) -> tuple[str, ...]:
    """Return the column names an expression uses, without backticks, in order, once each."""
    return _read(expr)[1]


def is_name(expr: str) -> bool:
    """Return whether an expression is a bare column name."""
    text, columns = _read(expr)
    return len(columns) == 1 and text == name_text(columns[0])


def is_factor(expr: str) -> bool:
    """Return whether an expression is a column name or one function call."""
    text = normalise(expr)
    opening = text.find("(")
    called = opening > 0 and text[:opening].isidentifier()
    return is_name(text) or (called and closing(text, opening) == len(text) - 1)


def name_text(column: str) -> str:
    """Return a column name as an expression writes it: in backticks where it needs them."""
    return column if _is_plain(column) else f"`{column}`"


def group_text(grouping: tuple[str, ...]) -> str:
    """Return column names as a grouping writes them, joined by colons."""
    return ":".join(
        name if keyword.iskeyword(name) and name not in _CONSTANTS else name_text(name)
        for name in grouping
    )


def _is_plain(column: str) -> bool:
    return (
        column.isidentifier()
        and not keyword.iskeyword(column)
        and not column.startswith("__")
        # Python folds such names (µ becomes μ), and the column would not be found
        and normalize("NFKC", column) == column
    )


@lru_cache(maxsize=4096)
def _read(expr: str) -> tuple[str, tuple[str, ...]]:
    """Return the normalised text and the columns of an expression."""
    check_text(expr, "expression")
    if len(expr) > MAX_FACTOR_LENGTH:
        raise _refuse(f"an expression of {len(expr)} characters")
    if not expr.strip():
        raise _refuse("an empty expression")
    python, aliases = _to_python(expr)
    try:
        tree = ast.parse(python, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refuse(f"{excerpt(expr)!r}, which is not an expression") from None
    checker = _Checker(expr)
    checker.check(tree)
    text = ast.unparse(tree)
    names = [name.id for name in sorted(checker.columns, key=lambda name: name.col_offset)]
    if aliases:
        text = re.sub(
            rf"\b(?:{'|'.join(aliases)})\b", lambda found: name_text(aliases[found.group()]), text
        )
    return text, tuple(dict.fromkeys(aliases.get(name, name) for name in names))


def _to_python(expr: str) -> tuple[str, dict[str, str]]:
    """Return text that :mod:`ast` reads, and the aliases that stand for odd column names."""
    prefix = "column_"
    while prefix in expr:
        prefix += "_"
    aliases: dict[str, str] = {}

    def alias(column: str) -> str:
        if _is_plain(column):
            return column
        return aliases.setdefault(column, f"{prefix}{len(aliases)}")

    pieces: list[str] = []
    position, end = 0, len(expr.rstrip())
    while position < end:
        match = _TOKEN.match(expr, position)
        if match is None:
            got = f"{excerpt(expr, position).lstrip()!r} in {excerpt(expr)!r}"
            if expr[position:].lstrip().startswith("^"):
                raise _refuse(got, "write a power as **, such as I(x**2)")
            raise _refuse(got)
        piece = match.group().strip()
        if match["quoted"]:
            piece = alias(piece[1:-1])
        elif match["name"] and piece not in _CONSTANTS:
            if piece.startswith("__") or not piece.isidentifier():
                got = f"the name {piece!r} in {excerpt(expr)!r}"
                raise _refuse(got, f"put a column of this name in backticks: `{piece}`")
            piece = alias(piece)
        pieces.append(piece)
        position = match.end()
    return " ".join(pieces), {alias: column for column, alias in aliases.items()}


class _Checker:
    """Walks a syntax tree, refuses what is not allowed, and collects the columns."""

    def __init__(self, expr: str) -> None:
        self.expr = expr
        self.columns: list[ast.Name] = []

    def check(self, node: ast.expr, depth: int = 0, strings: bool = False) -> None:
        """Check a node; `strings` says whether a string may stand here."""
        if depth > MAX_TREE_DEPTH:
            raise _refuse(f"an expression nested deeper than {MAX_TREE_DEPTH}")
        match node:
            case ast.Name():
                self.columns.append(node)
            case ast.Constant():
                self._constant(node, strings)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                self.check(node.operand, depth + 1)
            case ast.BinOp() if isinstance(node.op, _OPERATORS):
                self._operation(node, depth)
            case ast.Compare() if all(isinstance(op, _COMPARISONS) for op in node.ops):
                for side in (node.left, *node.comparators):
                    self.check(side, depth + 1, strings=True)
            case ast.Call():
                self._call(node, depth)
            case ast.Attribute():
                raise self._attribute(node)
            case _:
                raise _refuse(f"{excerpt(self.expr)!r}")

    def _constant(self, node: ast.Constant, strings: bool) -> None:
        kinds = (bool, int, float, type(None)) + ((str,) if strings else ())
        if not isinstance(node.value, kinds):
            raise _refuse(f"{node.value!r} in {excerpt(self.expr)!r}")

    def _operation(self, node: ast.BinOp, depth: int) -> None:
        before = len(self.columns)
        self.check(node.left, depth + 1)
        self.check(node.right, depth + 1)
        if isinstance(node.op, ast.Pow) and len(self.columns) == before:
            # 9**9**9 would be computed, digit by digit, when the factor is evaluated
            raise _refuse(f"a power of two numbers in {excerpt(self.expr)!r}")

    def _call(self, node: ast.Call, depth: int) -> None:
        if isinstance(node.func, ast.Attribute):
            raise self._attribute(node.func)
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            name = ast.unparse(node.func) if depth < MAX_TREE_DEPTH else "?"
            near = suggestion(name, FUNCTIONS)
            got = f"the function {name!r} in {excerpt(self.expr)!r}"
            if name in ELSEWHERE:
                raise _refuse(got, ELSEWHERE[name])
            raise _refuse(got + near)
        function = node.func.id
        before = len(self.columns)
        for argument in node.args:
            if not (function == "C" and self._is_contrast(argument)):
                self._argument(argument, depth)
        for item in node.keywords:
            if item.arg is None:
                raise _refuse(f"'**' arguments in {excerpt(self.expr)!r}")
            if not (function == "C" and self._is_contrast(item.value)):
                self._literal(item.value)
        if len(self.columns) == before:
            raise _refuse(f"{function}() without a column in {excerpt(self.expr)!r}")
        if function in CENTRING:
            self._centring(function, node)

    def _argument(self, node: ast.expr, depth: int) -> None:
        if isinstance(node, ast.List | ast.Tuple):
            self._literal(node)
        else:
            self.check(node, depth + 1, strings=True)

    def _literal(self, node: ast.expr) -> None:
        """Check a keyword's value: a constant, or a list of constants."""
        items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
        for item in items:
            inner = item.operand if isinstance(item, ast.UnaryOp) else item
            if not isinstance(inner, ast.Constant):
                got = f"an option that is not a constant in {excerpt(self.expr)!r}"
                if isinstance(inner, ast.Name) and inner.id.upper() in ("TRUE", "FALSE", "T", "F"):
                    raise _refuse(got, f"write True or False for {inner.id}")
                raise _refuse(got)
            self.check(item, strings=True)

    def _is_contrast(self, node: ast.expr) -> bool:
        """Return whether a node is `contr.name` or `contr.name(constants)`."""
        function = node.func if isinstance(node, ast.Call) else node
        if not (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "contr"
            and function.attr in CONTRASTS
        ):
            return False
        if isinstance(node, ast.Call):
            for value in (*node.args, *(item.value for item in node.keywords)):
                self._literal(value)
        return True

    def _centring(self, function: str, node: ast.Call) -> None:
        wanted = 1 if function == "grand" else 2
        group = node.args[-1] if node.args else None
        names = wanted == 1 or isinstance(group, ast.Name)
        if len(node.args) != wanted or node.keywords or not names:
            form = "grand(x)" if wanted == 1 else f"{function}(x, group)"
            raise SpecError(
                message(
                    f"{excerpt(self.expr)!r}",
                    f"{form}, where the group is a column name",
                    "for the cells of two groupings, make one column of them",
                )
            )

    def _attribute(self, node: ast.Attribute) -> SpecError:
        if isinstance(node.value, ast.Name) and node.value.id == "contr":
            allowed = "C(x, contr.…) with contr. followed by " + ", ".join(CONTRASTS)
            step = "use one of these contrasts, inside C(...)"
        else:
            allowed, step = _ALLOWED, "put a column name with a dot in backticks: `IQ.verb`"
            if isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
                step = f"write {node.attr}(…) without {node.value.id}, if it is one of these"
        return SpecError(
            message(f"a dot (attribute access) in {excerpt(self.expr)!r}", allowed, step)
        )


def _refuse(got: str, step: str = "make a column of anything else before fitting") -> SpecError:
    return SpecError(message(got, _ALLOWED, step))
