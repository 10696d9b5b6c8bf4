"""The two simulated lessons: data whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PATENTS_SEED = 1836
CLASSROOMS_SEED = 4

ROOM_SIZES = (5, 4, 5, 4)
ROOM_NOISE = (10.0, 4.0, 6.0, 8.0)


def simulate_patents(seed: int = PATENTS_SEED, rows: int = 400) -> pd.DataFrame:
    """Return patents of 40 applicants, judged by 25 examiners, in 12 technologies.

    Parameters
    ----------
    seed
        Same seed, same data.
    rows
        Number of patents.

    Notes
    -----
    days = 600 + 12 (claims - 15) + a + e + t + noise, with SDs 60 (applicants),
    90 (examiners), 40 (technologies) and 120 (noise). Any applicant may meet any examiner
    in any technology: three groupings, crossed.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    sds = {"applicant": (40, 60.0), "examiner": (25, 90.0), "technology": (12, 40.0)}
    claims = 1 + rng.poisson(14, rows)
    days = 600 + 12.0 * (claims - 15) + rng.normal(0, 120, rows)
    labels = {}
    for group, (size, sd) in sds.items():
        codes = rng.integers(size, size=rows)
        days = days + rng.normal(0, sd, size)[codes]
        labels[group] = [f"{group[0].upper()}{code + 1:02d}" for code in codes]
    return pd.DataFrame({**labels, "claims": claims, "days": days.round(1)})


def simulate_four_classrooms(seed: int = CLASSROOMS_SEED) -> pd.DataFrame:
    """Return the scores of 18 pupils in four rooms of unequal noise.

    Parameters
    ----------
    seed
        Same seed, same data.

    Notes
    -----
    score = 60 + 5 (girl) + u + noise; u has SD 8, and the noise SD 10, 4, 6, 8 in rooms of
    5, 4, 5, 4 pupils. Every room has boys and girls in turn.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    effects = rng.normal(0, 8, len(ROOM_SIZES))
    rows = [
        {
            "room": f"room {room + 1}",
            "gender": "girl" if pupil % 2 else "boy",
            "score": round(
                float(60 + 5 * (pupil % 2) + effects[room] + rng.normal(0, ROOM_NOISE[room])), 1
            ),
        }
        for room, size in enumerate(ROOM_SIZES)
        for pupil in range(size)
    ]
    return pd.DataFrame(rows)
