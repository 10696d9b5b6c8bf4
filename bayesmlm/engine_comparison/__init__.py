"""What takes several engines: one model by each of them, side by side."""

from bayesmlm.engine_comparison.comparing import compare_engines
from bayesmlm.engine_comparison.comparison import EngineComparison

__all__ = ["EngineComparison", "compare_engines"]
