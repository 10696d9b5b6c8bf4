"""Write bayesmlm/datasets/*.csv.gz from a folder of the source files.

    python scripts/pack_datasets.py FOLDER

High School & Beyond joins two files and is left as it is. The bytes depend on nothing but the
figures: no time and no name is written into the archives.
"""

import gzip
import io
import sys
from pathlib import Path

import pandas as pd

from bayesmlm.datasets import SOURCES, simulate_four_classrooms, simulate_patents

TARGET = Path(__file__).resolve().parents[1] / "bayesmlm" / "datasets"
SIMULATED = {"four_classrooms": simulate_four_classrooms, "patents": simulate_patents}


def packed(frame):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as archive:
        archive.write(frame.to_csv(index=False, lineterminator="\n").encode())
    return buffer.getvalue()


def source_frame(folder, file):
    # as text: every figure is written as it was read
    frame = pd.read_csv(folder / f"{file}.csv", dtype=str, keep_default_na=False)
    return frame.rename(columns=lambda name: name.replace(".", "_"))


def main(folder):
    for name, source in SOURCES.items():
        if not source.included or name == "high_school_beyond":
            continue
        frame = SIMULATED[name]() if name in SIMULATED else source_frame(folder, source.file)
        (TARGET / f"{name}.csv.gz").write_bytes(packed(frame))
        print(f"{name}: {len(frame)} rows, {', '.join(frame.columns)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
