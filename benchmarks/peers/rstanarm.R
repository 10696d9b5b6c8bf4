# rstanarm: Rscript benchmarks/peers/rstanarm.R TASK
source("benchmarks/peers/common.R")
task <- read_task()
load_package("rstanarm")
options(mc.cores = task$cores)
data <- read_columns(task$data)
fit <- timed(function() {
  model <- as.formula(task$formula)
  if (!nzchar(task$family)) return(stan_lmer(model, data, seed = task$seed, refresh = 0))
  stan_glmer(model, data, family_of(task$family), seed = task$seed, refresh = 0)
}, task)
saved <- save_draws(as.array(fit), task$draws)
tell(
  event = "result", settings = "stan_lmer or stan_glmer, 4 chains of 1,000 draws after 1,000 of warm-up",
  notes = list(), divergences = rstan::get_num_divergent(fit$stanfit),
  shape = saved$shape, names = I(saved$names)
)
