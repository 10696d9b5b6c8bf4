"""The command ``bayesmlm``: models by name, by file or by formula, from a terminal.

Exit status: 0 done, 1 fitted but not converged, 2 an error of usage, model or data,
70 a defect of bayesmlm itself, 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, cast

from bayesmlm import __version__
from bayesmlm.errors import BayesmlmError, BayesmlmWarning

ERROR, DEFECT, INTERRUPTED, PIPE_CLOSED = 2, 70, 130, 141

DESCRIPTION = "Bayesian multilevel models from textbook equations."

EXAMPLES = """examples:
  bayesmlm models
  bayesmlm show radon-slope
  bayesmlm fit radon-slope --out radon
  bayesmlm fit "score ~ hours + (hours | school)" --data pupils.csv -o draws=4000
  bayesmlm show radon/fit.zip

exit status:
  0 done; 1 fitted, but not converged; 2 an error in the command, the model or the data;
  130 interrupted
"""

SHOW = """examples:
  bayesmlm show hsb-slopes-as-outcomes
  bayesmlm show my-model.toml --data pupils.parquet
  bayesmlm show "passed ~ hours + (1 | school)" --data pupils.csv --family bernoulli
  bayesmlm show "score ~ hours + (1 | school/class)"          (equations only)
  bayesmlm show radon/fit.zip                                 (a saved fit: its summary)
"""

FIT = """examples:
  bayesmlm fit sleepstudy
  bayesmlm fit my-model.toml --out results --seed 1
  bayesmlm fit "score ~ hours + (hours | school)" --data pupils.csv
  bayesmlm fit "passed ~ hours + (1 | school)" --data pupils.csv --family bernoulli \\
      -o draws=4000 -o target_accept=0.95 --missing drop

exit status:
  0 fitted and converged; 1 fitted, but not converged (the results are written, and standard
  error says what to do); 2 an error in the command, the model or the data; 130 interrupted

--out DIR gets fit.zip (bayesmlm.load reads it), summary.txt, every table as .csv and .txt, and
a picture of the effects of each grouping. DIR is as it was until all of them are written.
"""

ENGINES = """examples:
  bayesmlm compare-engines sleepstudy
  bayesmlm compare-engines sleepstudy --engines laplace,advi,ml --reference laplace --seed 1
  bayesmlm compare-engines "y ~ x + (1 | g)" --data rows.csv --engines nuts,ml

exit status:
  0 every engine fitted and converged; 1 one failed or did not converge; 2 an error in the
  command, the model or the data; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments
        What follows the command's name; None takes them from the command line.
    """
    try:
        with told_warnings():
            options = parser().parse_args(arguments)
            commands = import_module("bayesmlm.commands")  # numpy and all, so not before
            status: int = getattr(commands, options.run)(options)
            sys.stdout.flush()
        return status
    except SystemExit as stop:  # --help, --version and errors of usage
        return int(stop.code or 0)
    except BayesmlmError as error:
        print(f"bayesmlm: error: {error}", file=sys.stderr)
        return ERROR
    except BrokenPipeError:
        close_output()
        return PIPE_CLOSED
    except OSError as error:
        print(f"bayesmlm: error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("bayesmlm: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        print("bayesmlm: this is a defect of bayesmlm: please report it", file=sys.stderr)
        return DEFECT


@contextlib.contextmanager
def told_warnings() -> Iterator[None]:
    """Tell bayesmlm's warnings in words, without the place in the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", BayesmlmWarning)
        shown = warnings.showwarning

        def tell(warning: Any, category: type[Warning], *place: Any) -> None:
            if issubclass(category, BayesmlmWarning):
                print(f"bayesmlm: warning: {warning}", file=sys.stderr)
            else:
                shown(warning, category, *place)

        warnings.showwarning = cast(Any, tell)
        yield


def close_output() -> None:
    """Send what is left of the output nowhere, so that Python says nothing at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="bayesmlm",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"bayesmlm {__version__}")
    commands = top.add_subparsers(required=True, metavar="command")

    def command(name: str, text: str, more: str = "") -> Any:
        added = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=name.replace("-", "_"))
        return added

    command("models", "list the models of the gallery")
    show = command("show", "show a model's equations, levels and priors", SHOW)
    fit = command("fit", "fit a model, beside its published table", FIT)
    engines = command("compare-engines", "fit a model by several engines, side by side", ENGINES)
    command("demo", "fit and show the High School & Beyond model (about a minute)")
    add_model_arguments(show)
    add_model_arguments(fit)
    add_fit_arguments(fit)
    add_model_arguments(engines)
    add_engines_arguments(engines)
    return top


def add_model_arguments(command: argparse.ArgumentParser) -> None:
    """Add what says which model of which data."""
    command.add_argument(
        "model", help="the name of a gallery model, a .toml file, a formula or equations"
    )
    command.add_argument("--data", metavar="FILE", help="the data: .csv, .tsv or .parquet")
    command.add_argument("--family", help="of the response, for a formula (default: gaussian)")
    command.add_argument("--link", help="of the family, for a formula (default: canonical)")
    command.add_argument(
        "--missing",
        choices=("error", "drop", "keep"),
        help="what to do with missing values, for a formula (default: error)",
    )


def add_fit_arguments(command: argparse.ArgumentParser) -> None:
    """Add what says how to fit, and where results go."""
    command.add_argument("--engine", metavar="NAME", help="default: the model's own, or nuts")
    command.add_argument(
        "-o",
        "--option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option of the engine, such as draws=4000; may be repeated",
    )
    command.add_argument(
        "--seed", type=int, metavar="N", help="a whole number from 0: same seed, same result"
    )
    command.add_argument("--out", metavar="DIR", help="the folder that gets fit, tables, pictures")
    command.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show progress on standard error (default: in a terminal)",
    )


def add_engines_arguments(command: argparse.ArgumentParser) -> None:
    """Add what says which engines, and how."""
    command.add_argument(
        "--engines",
        metavar="NAMES",
        default="nuts,laplace,advi,ml",
        help="names with commas between (default: nuts,laplace,advi,ml)",
    )
    command.add_argument(
        "--reference", metavar="NAME", help="distances are from it (default: nuts, if converged)"
    )
    command.add_argument("--seed", type=int, metavar="N", help="a whole number from 0")
    command.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show progress on standard error (default: in a terminal)",
    )


if __name__ == "__main__":
    sys.exit(main())
