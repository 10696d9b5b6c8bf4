"""Put real output into README.md: of `make demo` (from a file), of the gallery, of the engines,
of the benchmarks.

python scripts/readme.py [DEMO_OUTPUT]
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.table import tables  # noqa: E402 (it lies beside this folder)


def put(text: str, mark: str, inside: str) -> str:
    """Replace what stands between a pair of marks."""
    pattern = rf"<!-- {mark} -->.*?<!-- /{mark} -->"
    block = f"<!-- {mark} -->\n{inside}\n<!-- /{mark} -->"
    return re.sub(pattern, lambda _: block, text, flags=re.DOTALL)


def first_tables(name: str) -> str:
    """Return the tables that a page of models/ begins with, with links that work from the root."""
    path = ROOT / "models" / name
    if not path.is_file():
        return f"Not made yet: `make {path.stem.lower()}`."
    lines = path.read_text().splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("|"))
    stop = next(k for k in range(start, len(lines)) if lines[k] and lines[k][0] != "|")
    return "\n".join(lines[start:stop]).strip().replace("](#", f"](models/{name}#")


def demo_output(path: Path) -> str:
    """Return the demo's output as a code block, without the folder of its picture."""
    lines = [line.rstrip() for line in path.read_text().splitlines()]
    kept = [line for line in lines if not line.startswith(("Setting up", "The effects of the"))]
    return "```text\n" + "\n".join(kept).strip() + "\n```"


def benchmark_tables() -> str:
    """Return the tables of benchmarks/results.json, or what makes it."""
    path = ROOT / "benchmarks" / "results.json"
    if not path.is_file():
        return "Not measured yet: `make benchmark`."
    return tables(json.loads(path.read_text(encoding="utf-8")))


def main() -> None:
    """Rewrite README.md in place."""
    readme = ROOT / "README.md"
    text = put(readme.read_text(), "gallery", first_tables("GALLERY.md"))
    text = put(text, "engines", first_tables("ENGINES.md"))
    text = put(text, "benchmarks", benchmark_tables())
    if len(sys.argv) > 1:
        text = put(text, "demo", demo_output(Path(sys.argv[1])))
    readme.write_text(text)


if __name__ == "__main__":
    main()
