# Everything here sets up what it needs in .venv; see scripts/bootstrap.sh. PYTHON=… picks the
# interpreter, WORKERS=… the number of test processes, ONLY=a,b models of the gallery or workloads,
# ENGINES=a,b columns of the table of engines.

WORKERS ?= 2
python := .venv/bin/python

# No BLAS for PyTensor's C linker: nothing uses it, and looking for it takes time and warns.
export PYTENSOR_FLAGS := blas__ldflags=
export PYTHON

# Test processes run side by side, so each keeps to one BLAS thread.
one_thread := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
pytest := $(one_thread) $(python) -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help demo gallery engines pictures checks-table readme benchmark benchmark-peers test \
	test-all lint format \
	lock clean run-env dev-env

help:
	@echo 'make demo      set up, then fit the High School & Beyond model and show the result'
	@echo 'make gallery   set up, then fit every model of models/ whose data are found (BAYESMLM_DATA)'
	@echo 'make engines   every engine on every generalized model, judged against Stan or NUTS'
	@echo 'make pictures  draw the pictures of docs/pictures.md from real data'
	@echo 'make checks-table  power and false alarms of the checks by level, for docs/level_checks.md'
	@echo 'make readme    put the real output of the demo, the gallery and the benchmarks into README.md'
	@echo 'make benchmark  time this project and its peers side by side, for an hour or more'
	@echo 'make test      set up, then lint, check types and run the fast tests'
	@echo 'make test-all  the same with the slow tests (real sampling)'
	@echo 'make lint      ruff and mypy only;  make format  ruff rewrites'
	@echo 'make lock      refresh the pinned requirements (UPGRADE=1: the newest of everything)'
	@echo 'make clean     remove the environments and caches'

demo: run-env
	@$(python) -m bayesmlm.demo

gallery: run-env
	$(python) -m bayesmlm.gallery $(if $(ONLY),--only $(ONLY)) \
		--json models/GALLERY.json --markdown models/GALLERY.md
	$(python) scripts/readme.py

# Every engine on every generalized model; Stan's runs are read from BAYESMLM_SHARED/reference.
engines: run-env
	$(python) scripts/engines.py $(if $(ONLY),--only $(ONLY)) $(if $(ENGINES),--engines $(ENGINES)) \
		--json models/ENGINES.json --markdown models/ENGINES.md
	$(python) scripts/readme.py

pictures: run-env
	$(python) scripts/pictures.py

checks-table: run-env
	$(python) scripts/level_checks.py

# README.md shows what the demo prints; run this when that has changed.
readme: run-env
	$(python) -m bayesmlm.demo > build-demo.txt
	cp school_effects.png docs/school_effects.png
	$(python) scripts/readme.py build-demo.txt
	rm build-demo.txt

# R is used where it is found, with lme4, rstanarm and brms (Debian: r-cran-lme4 and so on, and
# r-cran-bh for brms).
benchmark: run-env benchmark-peers
	$(python) -m benchmarks $(if $(ONLY),--only $(ONLY)) --json benchmarks/results.json
	$(python) scripts/readme.py

# Bambi in an environment of its own; without it the benchmarks say that it is absent.
benchmark-peers:
	-@sh benchmarks/peers/setup.sh

test: lint
	$(pytest)

test-all: lint
	$(pytest) -m ''

lint: dev-env
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy

format: dev-env
	$(python) -m ruff check --fix
	$(python) -m ruff format

lock:
	@sh scripts/lock.sh

clean:
	rm -rf .venv .lock-venv .bambi-venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find bayesmlm tests -name __pycache__ -type d -prune -exec rm -rf {} +

run-env:
	@sh scripts/bootstrap.sh run

dev-env:
	@sh scripts/bootstrap.sh dev
