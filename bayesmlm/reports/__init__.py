"""Tables and pages to look at."""

from bayesmlm.reports.shown import Shown
from bayesmlm.reports.table import Page, Table

__all__ = ["Page", "Shown", "Table"]
