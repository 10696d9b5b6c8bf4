"""Tables and pages to look at."""

from bayesmlm.reports.table import Page, Table

__all__ = ["Page", "Table"]
