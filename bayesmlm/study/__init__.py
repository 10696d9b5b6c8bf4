"""Planning a study: how surely, and how precisely, it would tell what is there."""

from bayesmlm.study.plan import StudyPlan
from bayesmlm.study.planning import plan_study

__all__ = ["StudyPlan", "plan_study"]
