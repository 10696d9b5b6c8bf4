"""Every engine on every model that is not Gaussian, and the marks it must reach.

    python scripts/engines.py [--only A,B] [--engines nuts,laplace] [--json FILE] [--markdown FILE]

`make engines` writes models/ENGINES.json and models/ENGINES.md; with ONLY=guimmun,simulated/5 it
makes these rows again, with ENGINES=pql,mql these columns, and the others stay as they are.

The models are those of models/, simulated clusters of binary rows and, where the shared reference
folder is found (BAYESMLM_SHARED), those of the long Stan runs with stated priors. Stan is the
reference where it ran, else our NUTS.
"""

import argparse
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests" / "golden")]

import engines_table  # noqa: E402 (it lies beside this file)
import references  # noqa: E402 (it lies in tests/golden)

import bayesmlm as mlm  # noqa: E402
from bayesmlm import gallery, names  # noqa: E402
from bayesmlm.errors import DataError  # noqa: E402
from bayesmlm.gallery.run import recorded, write  # noqa: E402

SEED = 1
LARGE = {"advi": 700}
"""Random effects above which an engine is not run: its graph takes minutes."""

STAN = (
    *("bugs_seeds_halfnormal", "cbpp", "bugs_epil2", "election88_simple"),
    *("rodgold_sim01", "guimmun_3level"),
)
SAME = {"guimmun": "guimmun_3level"}
"""Models of the gallery that are a Stan run's: data and priors."""

CLUSTERS = (2, 5, 40)
"""Rows of a cluster of the simulated models."""

AUDIT = {
    **dict.fromkeys(("stan/guimmun_3level", "stan/rodgold_sim01"), True),
    **dict.fromkeys(("simulated/2", "simulated/5"), True),
    **dict.fromkeys(("contraception", "stan/election88_simple", "simulated/40"), False),
}
"""Whether the audit of Laplace's approximation must warn, where that is stated."""

ENGINES = {
    "nuts": mlm.NUTS(draws=2500, target_accept=0.95),
    "quadrature": mlm.Quadrature(),
    "laplace": mlm.Laplace(),
    "ml": mlm.ML(nodes="auto"),
    "ml(nodes=1)": mlm.ML(),
    "pql": mlm.PQL(),
    "pql(order=2)": mlm.PQL(order=2),
    "mql": mlm.MQL(),
    "advi": mlm.ADVI(),
}
TITLES = {
    "nuts": "NUTS",
    "quadrature": "quadrature",
    "laplace": "Laplace",
    "ml": "ML, quadrature",
    "ml(nodes=1)": "ML, Laplace",
    "pql": "PQL",
    "pql(order=2)": "PQL 2",
    "mql": "MQL",
    "advi": "ADVI",
}
STANDS_FOR = {name: f"stan/{run}" for name, run in SAME.items()}

HYBRID, LAPLACE, SPREAD = 0.15, 0.1, 0.1
"""Posterior SDs that means may be off by the hybrid and by Laplace, and SDs by Laplace."""


@dataclass(frozen=True)
class Case:
    """A model, the draws that are compared, and the reference where it is not our NUTS."""

    model: mlm.Model
    draws: object
    reference: dict | None = None
    nuts: mlm.NUTS = ENGINES["nuts"]


def shared(folder):
    """Return a folder of the shared material."""
    root = os.environ.get("BAYESMLM_SHARED")
    return (Path(root) if root else ROOT.parent / "shared") / folder


def case(name):
    """Return a case by its name: a model of the gallery, ``"simulated/…"`` or ``"stan/…"``."""
    source, _, run_name = STANDS_FOR.get(name, name).rpartition("/")
    if source == "simulated":
        return Case(references.clusters(int(run_name)), own_draws)
    if source:
        run = json.loads((shared("reference") / "bayes" / f"{run_name}.json").read_text())
        frame = references.read_frame(shared("data"), run["dataset"])
        model, order = references.stated_model(run_name, run, frame)
        return Case(model, lambda fit: references.run_draws(fit, run, order), run["summary"])
    entry = gallery.read(name)
    options = {"draws": 2500, "target_accept": 0.95} | dict(entry.options)
    return Case(entry.model(), own_draws, nuts=mlm.NUTS(**options))


def cases():
    """Return the names of all cases whose data are found."""
    found = [
        name
        for name in gallery.available()
        if gallery.read(name).family not in (None, "gaussian") and name not in SAME
    ]
    found += [f"simulated/{size}" for size in CLUSTERS]
    if (shared("reference") / "bayes").is_dir():
        found += [f"stan/{name}" for name in STAN]
    return found


def own_draws(fit):
    """Return the draws (chain, draw) of coefficients, SDs and correlations, by name."""
    found = {}
    groups = {names.safe(block.name) for block in fit.result.design.random}
    for name, array in fit.result.posterior.items():
        if groups & set(array.dims):
            continue
        parts = [array] if array.ndim == 2 else [array[..., k] for k in range(array.shape[-1])]
        for part in parts:
            label = [str(part[dim].item()) for dim in part.coords if part[dim].ndim == 0]
            found[f"{name}[{label[0]}]" if label else name] = part.assign_attrs(array.attrs)
    return found


def summary(draws):
    """Summarise draws as the Stan runs are."""
    import arviz_stats

    found = {}
    for name, array in draws.items():
        flat = array.to_numpy().ravel()
        found[name] = {
            "mean": flat.mean(),
            "sd": flat.std(ddof=1),
            "mcse_mean": float(arviz_stats.mcse(array, method="mean")),
            "ess_bulk": float(arviz_stats.ess(array, method="bulk")),
            "ess_tail": float(arviz_stats.ess(array, method="tail")),
        } | {key: np.quantile(flat, p) for key, p in references.QUANTILES.items()}
    return found


def fitted(model, engine):
    """Return a fit and its seconds, or why there is none."""
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # the table says it
            fit = model.fit(engine, seed=SEED)
    except mlm.BayesmlmError as error:
        return None, str(error).splitlines()[0]
    return fit, time.perf_counter() - started


def figures(label, given, fit, reference):
    """Return what the table says of a fit, and whether it reaches its mark."""
    draws, check = given.draws(fit), fit.check()
    keys = [key for key in reference if not key.startswith("u[")]
    off = {
        key: (float(draws[key].mean()) - reference[key]["mean"]) / reference[key]["sd"]
        for key in keys
    }
    worst = max(off, key=lambda key: abs(off[key]))
    found = {
        "distance": number(off[worst]),
        "of": worst,
        "warns": not check.ok,
        "findings": [finding.what for finding in check.findings],
        "k_hat": number(getattr(check, "khat", None)),
        "shift": number(getattr(check, "shift", None)),
    }
    if fit.result.engine.name != label.partition("(")[0]:
        found["instead"] = fit.result.engine.name
    if draws[keys[0]].size > 1:
        ratio = {key: float(draws[key].std(ddof=1)) / reference[key]["sd"] for key in keys}
        extreme = max(ratio, key=lambda key: abs(np.log(ratio[key])))
        found |= {"sd_ratio": number(ratio[extreme]), "sd_ratio_of": extreme}
        scores, bound = references.scores(draws, reference)
        found |= {
            "mcse": number(max(map(abs, scores.values()))),
            "mcse_bound": number(bound),
        }
    return found


def number(value):
    """Return a number JSON knows, or None."""
    return round(float(value), 3) if value is not None and np.isfinite(value) else None


def mark(name, label, design, found):
    """Return the mark that an engine must reach, and whether it does."""
    one = label == "quadrature" and not mlm.Quadrature().takes_field(design)
    if label == "nuts" or one:
        return {"mark": "MCSE", "ok": found["mcse"] < found["mcse_bound"]}
    if label == "quadrature":
        return {"mark": f"{HYBRID} SD", "ok": abs(found["distance"]) < HYBRID}
    if label == "laplace":
        close = abs(found["distance"]) < LAPLACE and abs(found["sd_ratio"] - 1) < SPREAD
        warns = found["warns"]
        if name not in AUDIT:
            return {"mark": f"{LAPLACE} SD or warns", "ok": warns or close}
        if AUDIT[name]:
            shift = any("Laplace's approximation" in said for said in found["findings"])
            return {"mark": "warns", "ok": shift}
        return {"mark": f"{LAPLACE} SD and silent", "ok": close and not warns}
    return {}


def outcome(name, chosen, say):
    """Return the result of a case by engines; NUTS comes first where it is the reference."""
    given = case(name)
    reference, by_nuts = given.reference, given.reference is None
    rows = {}
    blocks = given.model.design.random
    effects = sum(block.grouping.size * len(block.effects) for block in blocks)
    chosen = [label for label in chosen if effects <= LARGE.get(label, effects)]
    for label in dict.fromkeys(["nuts", *chosen]) if by_nuts else chosen:
        fit, seconds = fitted(given.model, given.nuts if label == "nuts" else ENGINES[label])
        if fit is None:
            rows[label] = {"failed": seconds}
        elif label == "nuts" and by_nuts:
            reference = summary(given.draws(fit))
            rows[label] = {"reference": True, "warns": not fit.check().ok}
        else:
            rows[label] = figures(label, given, fit, reference)
            rows[label] |= mark(name, label, given.model.design, rows[label])
        if fit is not None:
            rows[label]["seconds"] = round(seconds, 2)
        say(f"  {label}: {rows[label]}")
    return {
        "rows": len(given.model.design.y),
        "family": given.model.design.family.name,
        "groups": {block.name: int(block.grouping.size) for block in blocks},
        "reference": "NUTS" if by_nuts else "Stan",
        "also": next((own for own, run in STANDS_FOR.items() if run == name), None),
        "load": round(os.getloadavg()[0], 1),
        "processors": os.cpu_count(),
        "engines": rows,
    }


def main():
    """Fit, and write the results and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="these models")
    parser.add_argument("--engines", help="these engines", default=",".join(ENGINES))
    parser.add_argument("--json", type=Path, help="results, kept up to date")
    parser.add_argument("--markdown", type=Path, help="the page; else the table is printed")
    given = parser.parse_args()
    results = recorded(given.json)
    for name in given.only.split(",") if given.only else cases():
        name = STANDS_FOR.get(name, name)
        print(name, flush=True)
        try:
            found = outcome(name, given.engines.split(","), lambda line: print(line, flush=True))
        except DataError as error:
            print(f"  not run: {str(error).splitlines()[0]}")
            continue
        found["engines"] = results.get(name, {}).get("engines", {}) | found["engines"]
        results[name] = found
        if given.json:
            write(given.json, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        if given.markdown:
            write(given.markdown, engines_table.page(results, TITLES))
    if not given.markdown:
        print(engines_table.table(results, TITLES))


if __name__ == "__main__":
    main()
