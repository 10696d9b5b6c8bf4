"""Pictures of a fit: one file each."""

from bayesmlm.plots.caterpillar import caterpillar

__all__ = ["caterpillar"]
