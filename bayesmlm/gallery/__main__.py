"""``python -m bayesmlm.gallery``: fit the gallery and write its table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bayesmlm.errors import BayesmlmError
from bayesmlm.gallery.run import SEED, is_ok, run
from bayesmlm.gallery.table import markdown


def main(arguments: list[str] | None = None) -> int:
    """Fit the models; 0 when every one that ran agrees with what was published."""
    parser = argparse.ArgumentParser(prog="python -m bayesmlm.gallery", description=__doc__)
    parser.add_argument("--only", metavar="A,B", help="these models, slow ones too")
    parser.add_argument("--json", metavar="FILE", type=Path, help="results, kept up to date")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="the table; else printed")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the fits (%(default)s)")
    given = parser.parse_args(arguments)
    names = None if given.only is None else [name.strip() for name in given.only.split(",")]
    try:
        results = run(
            names,
            seed=given.seed,
            record=given.json,
            table=given.markdown,
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except BayesmlmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if given.markdown is None:
        print(markdown(results))
    ran = [result for result in results.values() if "not_run" not in result]
    return 0 if all(map(is_ok, ran)) else 1


if __name__ == "__main__":
    sys.exit(main())
