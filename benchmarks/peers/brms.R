# brms by rstan, which compiles each model: Rscript benchmarks/peers/brms.R TASK
source("benchmarks/peers/common.R")
task <- read_task()
load_package("brms")
# A distribution that has Boost in the system's folder and not in the package BH.
if (!nzchar(rstan::rstan_options("boost_lib"))) rstan::rstan_options(boost_lib = "/usr/include")
data <- read_columns(task$data)
stated <- NULL
for (text in task$priors) {
  stated <- c(stated, list(eval(parse(text = text))))
}
if (!is.null(stated)) stated <- do.call(c, stated)
fit <- timed(function() {
  brm(
    as.formula(task$formula), data, prior = stated, seed = task$seed, cores = task$cores,
    refresh = 0, silent = 2
  )
}, task)
draws <- unclass(as_draws_array(fit))
kept <- setdiff(dimnames(draws)[[3]], c("lp__", "lprior"))
saved <- save_draws(draws[, , kept], task$draws)
tell(
  event = "result", settings = "4 chains of 1,000 draws after 1,000 of warm-up, compiled by rstan",
  notes = list(), divergences = sum(nuts_params(fit, pars = "divergent__")$Value),
  shape = saved$shape, names = I(saved$names)
)
