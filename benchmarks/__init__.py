"""Times of this project and of its peers, measured side by side in one run on one machine.

``python -m benchmarks --json benchmarks/results.json``; see `make benchmark`. A workload is an
entry of `benchmarks.workloads`, a fitter one of `benchmarks.peers` with a file there that fits.
"""
