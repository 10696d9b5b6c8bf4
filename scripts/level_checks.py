"""Write docs/level_checks.md; see benchmarks/level_checks.py."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.level_checks import write  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--engine", default="ml", help="ml or laplace")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "level_checks.md")
    chosen = parser.parse_args()
    write(chosen.output, chosen.simulations, chosen.engine)
    print(chosen.output.read_text(encoding="utf-8"))
