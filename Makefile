# Two commands matter: `make book` and `make test`. Each sets up what it needs by itself, and is quick when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEVICE ?= cpu
EPISODES ?= 1000
# Of the episodes to be judged in: new ones each time, unless a seed is given.
SEED ?= $(shell date +%s)
# Processes that test side by side: as many as there are processors, but no more than a machine's memory holds.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; [ $$n -lt 2 ] && n=2; echo $$n)
# The first Python that is new enough; `make PYTHON=/path/to/python …` names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# Small tensors: more threads would only wait for each other, and for their neighbours.
export OMP_NUM_THREADS ?= 1
BOOK_SOURCES := $(shell find book lewm_lite assets -type f -not -path '*/node_modules/*' -not -path '*/__pycache__/*' -not -path '*/.*' 2>/dev/null) _config.yml _toc.yml

.PHONY: help setup book html test bench evaluate clean notebooks assets address

help:
	@echo "make book       set up, build the book, serve it on 127.0.0.1 and print the address"
	@echo "make test       the whole check: style, library, notebooks, pages in a real browser"
	@echo "make html       build only, into _build/html"
	@echo "make notebooks  run every chapter and store its outputs"
	@echo "make assets     make again what the labs ship with (about two minutes)"
	@echo "make address    write the repository's address, from _config.yml, wherever it is needed"
	@echo "make bench      compare SIGReg with the direct formula, in time and memory (DEVICE=cuda: on a graphics card)"
	@echo "make evaluate   let the small world model plan in $(EPISODES) new episodes, about eight minutes (EPISODES=100: fewer)"
	@echo "make clean      remove what was built and set up"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt book/_web/package-lock.json
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed, and none was found: make PYTHON=/path/to/python3.11 setup"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON). Downloads: Python packages, about 400 MB with a CPU build of torch and 3 GB where"
	@echo "only its CUDA build is offered; JavaScript packages, about 45 MB. This takes two to five minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@echo "Python packages are in. Fetching ONNX Runtime Web, MathJax and axe-core, by hash."
	@cd book/_web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
	@$(BIN)/python -c "import matplotlib.font_manager"
	@touch $@

_build/.html: $(VENV)/.ready $(BOOK_SOURCES)
	@mkdir -p _build
	@echo "Building the book from the stored outputs (under a minute)."
	@# What shapes every page was touched: no page may be left as it was.
	@$(if $(filter book/_ext/% _config.yml _toc.yml,$?),rm -rf _build/html _build/.doctrees)
	@$(BIN)/jupyter-book build . -W -n --keep-going --quiet >_build/build.log 2>&1 || { cat _build/build.log; exit 1; }
	@touch $@

html: _build/.html
	@echo "The book is in _build/html."

book: html
	@$(BIN)/python book/_tools/serve.py _build/html --port $(PORT)

test: export LEWM_BUILT := 1
test: html
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/python -m pytest tests -m "not timed" -n $(WORKERS) --dist loadscope
	@$(BIN)/python -m pytest tests -m timed
	@$(BIN)/python -m pytest --nbval book -n $(WORKERS) --dist loadfile

notebooks: $(VENV)/.ready
	@$(BIN)/python book/_tools/notebooks.py

bench: $(VENV)/.ready
	@$(BIN)/python -m lewm_lite.experiments.sigreg_bench --device $(DEVICE)

evaluate: $(VENV)/.ready
	@echo "Episodes of seed $(SEED); make evaluate SEED=$(SEED) judges in the same ones again."
	@$(BIN)/python -m lewm_lite evaluate --checkpoint lite --episodes $(EPISODES) --seed $(SEED) --device $(DEVICE)

assets: $(VENV)/.ready
	@$(BIN)/python -m lewm_lite export

address: $(VENV)/.ready
	@$(BIN)/python book/_tools/address.py

clean:
	rm -rf _build $(VENV) book/_web/node_modules dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
