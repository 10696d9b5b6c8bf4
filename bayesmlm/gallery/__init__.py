"""The gallery: classic models by name, each beside its published table.

``available()`` lists them, ``read("radon-slope")`` reads one, ``compare(entry, fit)`` puts a
fit beside what was published. ``python -m bayesmlm.gallery`` fits them all.
"""

from bayesmlm.gallery.compare import compare, parameter_names
from bayesmlm.gallery.entry import Entry, Published
from bayesmlm.gallery.files import available, read

__all__ = ["Entry", "Published", "available", "compare", "parameter_names", "read"]
