# lme4, maximum likelihood: Rscript benchmarks/peers/lme4.R TASK
source("benchmarks/peers/common.R")
task <- read_task()
load_package("lme4")
data <- read_columns(task$data)
fit <- timed(function() {
  if (!nzchar(task$family)) return(lmer(as.formula(task$formula), data, REML = FALSE))
  glmer(as.formula(task$formula), data, family_of(task$family), nAGQ = 1)
}, task)
tell(
  event = "result", settings = "lmer(REML = FALSE), glmer(nAGQ = 1)", notes = list(),
  deviance = -2 * as.numeric(logLik(fit)), singular = isSingular(fit)
)
