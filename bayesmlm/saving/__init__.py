"""Saved fits: one zip of JSON and NumPy arrays, no pickle, hashed and written atomically.

========================  ==========================================================
member                    holds
========================  ==========================================================
``manifest.json``         format, version, and the SHA-256 of every other member
``meta.json``             versions of the libraries, engine, seed, seconds, notes
``spec.json``             the specification
``design.json``           every encoding: terms, knots, categories, group means, labels
``priors.json``           the priors
``tree.json``             the groups of the `xarray.DataTree`: names, dims, attributes
``design/….npy``          y, X, Z, codes, offset, additions, positions
``tree/….npy``            draws, sampler statistics and data
========================  ==========================================================

Any language with a zip reader, a JSON reader and the NPY format can read it. Member names
are plain ASCII made from places and names; the true names are in the JSON.
"""

from bayesmlm.saving.atomic import replacing, replacing_files, writing_to
from bayesmlm.saving.result import load_result, save_result

__all__ = ["load_result", "replacing", "replacing_files", "save_result", "writing_to"]
