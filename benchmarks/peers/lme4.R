# lme4, maximum likelihood: Rscript benchmarks/peers/lme4.R TASK
source("benchmarks/peers/common.R")
task <- read_task()
load_package("lme4")
data <- read_columns(task$data)
fit <- timed(function() lmer(as.formula(task$formula), data, REML = FALSE), task)
tell(
  event = "result", settings = "lmer(REML = FALSE)", notes = list(),
  deviance = -2 * as.numeric(logLik(fit)), singular = isSingular(fit)
)
