# Writes lme4_predict.json beside it: lme4's predictions, conditional on the modes (re.form
# NULL) and at effects of zero (NA), of the package's data. Run: Rscript lme4_predict.R
library(lme4)
library(jsonlite)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
data <- function(name) read.csv(file.path(here, "../../bayesmlm/datasets", paste0(name, ".csv.gz")))
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
gtight <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))

both <- function(fit, new, ...) list(
  conditional = unname(predict(fit, newdata = new, ...)),
  zero = unname(predict(fit, newdata = new, re.form = NA, ...))
)
every <- function(frame, n) frame[round(seq(1, nrow(frame), length.out = n)), ]

sleep <- data("sleepstudy")
slopes <- function(reml) lmer(Reaction ~ Days + (Days | Subject), sleep, REML = reml, control = tight)
pen <- data("penicillin")
crossed <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), pen, REML = FALSE, control = tight)
cbpp <- transform(data("cbpp"), period = factor(period))
binary <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial,
                nAGQ = 9, control = gtight)
rows <- list(sleep = every(sleep, 12), pen = every(pen, 12), cbpp = every(cbpp, 12))
unseen <- data.frame(Days = c(0, 5), Subject = c("new", "new"))
found <- list(
  sleepstudy_ml = both(slopes(FALSE), rows$sleep),
  sleepstudy_reml = both(slopes(TRUE), rows$sleep),
  sleepstudy_unseen = unname(predict(slopes(FALSE), unseen, allow.new.levels = TRUE)),
  penicillin_ml = both(crossed, rows$pen),
  cbpp_response = both(binary, rows$cbpp, type = "response"),
  cbpp_link = both(binary, rows$cbpp),
  rows = lapply(rows, function(frame) as.integer(rownames(frame)) - 1L),
  version = as.character(packageVersion("lme4"))
)
write_json(found, file.path(here, "lme4_predict.json"), auto_unbox = TRUE, digits = NA, pretty = TRUE)
