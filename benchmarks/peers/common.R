# What the R scripts share: tasks, data, events, timing. jsonlite reads and writes JSON.

tell <- function(...) {
  text <- jsonlite::toJSON(list(...), auto_unbox = TRUE, digits = 10, null = "null")
  cat("\n@@benchmark ", text, "\n", sep = "")
  flush(stdout())
}

read_task <- function() {
  jsonlite::fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = TRUE)
}

read_columns <- function(folder) {
  meta <- jsonlite::fromJSON(file.path(folder, "columns.json"), simplifyVector = FALSE)
  read_one <- function(entry) {
    con <- file(file.path(folder, entry$file), "rb")
    on.exit(close(con))
    if (entry$kind == "number") return(readBin(con, "double", meta$rows))
    values <- readBin(con, "integer", meta$rows, size = 4)
    if (entry$kind == "text") factor(values, seq_along(entry$labels) - 1, unlist(entry$labels)) else values
  }
  found <- lapply(meta$columns, read_one)
  names(found) <- vapply(meta$columns, function(entry) entry$name, "")
  as.data.frame(found, check.names = FALSE)
}

# A family by the name it has in a task, as R has it.
family_of <- function(name) list(bernoulli = binomial(), poisson = poisson())[[name]]

peak_mb <- function() {
  if (!file.exists("/proc/self/status")) return(NULL)
  line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

load_package <- function(name) {
  started <- proc.time()[["elapsed"]]
  suppressPackageStartupMessages(library(name, character.only = TRUE))
  tell(event = "imported", seconds = proc.time()[["elapsed"]] - started, imports = name)
}

# As benchmarks/events.py: once, then as the task says; what the last call returned.
timed <- function(call, task) {
  spent <- 0
  for (number in 0:task$`repeat`[2]) {
    found <- NULL
    invisible(gc())
    started <- Sys.time()
    found <- call()
    seconds <- as.numeric(Sys.time() - started, units = "secs")
    tell(event = "call", seconds = seconds, peak_mb = peak_mb())
    spent <- spent + seconds
    if (number >= task$`repeat`[1] && spent > task$`repeat`[3]) break
  }
  found
}

# Draws as (chain, draw, parameter), the last fastest, from R's (draw, chain, parameter).
save_draws <- function(draws, path) {
  con <- file(path, "wb")
  on.exit(close(con))
  writeBin(as.vector(aperm(draws, c(3, 1, 2))), con)
  list(shape = dim(draws)[c(2, 1, 3)], names = dimnames(draws)[[3]])
}
