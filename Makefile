# The goals work in a fresh clone on Debian with git, make and Python 3.11 or newer; they create .venv.
# `test` and `bench` need the packages that `make deps` installs, `preview` also Node 20 or newer and npm.
#
#   make demo DEMO_ARGS='--duration 60'     make test TEST_ARGS='tests/worker -x'
#   make test TEST_ARGS='tests/worker -n 0 --pdb' runs the tests in one process
#   make bench BENCH_ARGS='hooks --quick'   make PYTHON=python3.13 test
#   make preview PREVIEW_ARGS='--prometheus http://127.0.0.1:9090'

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PREVIEW := dashboards/preview
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Servers that the tests and benchmarks start themselves, on free ports and in temporary folders.
DEBIAN := redis-server redis-sentinel prometheus prometheus-alertmanager chromium libfaketime
# The tests of the rules run with these too: Debian's unstable release has newer ones.
NEWER := prometheus promtool prometheus-alertmanager victoria-metrics

# Two processes run the tests, each one file at a time; tests/conftest.py puts the slow files first.
TWO_AT_A_TIME := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench generate docs-site preview deps clean

help: ## list the goals
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 17

demo: $(VENV)/demo ## a whole fleet on this machine; Ctrl-C stops it and removes everything
	@$(BIN)/bioagents demo $(DEMO_ARGS)

test: $(VENV)/dev ## run the tests, two files at a time; `make deps` installs what they need
	$(BIN)/python -m pytest $(TWO_AT_A_TIME) --durations 15 $(TEST_ARGS)

check: $(VENV)/dev ## lint, formatting, types, prose
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/python tools/prose.py

format: $(VENV)/dev ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: $(VENV)/dev ## compare the speed with other tools; about forty minutes
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

generate: $(VENV)/dev ## write the generated files: metrics reference, dashboards' JSON, rules' YAML, message templates
	$(BIN)/python -m bioagents_exporter.catalogue > docs/reference/metrics.md.new
	mv docs/reference/metrics.md.new docs/reference/metrics.md
	$(BIN)/python -m bioagents_alerts
	$(BIN)/python -m bioagents_boards

docs-site: $(VENV)/dev ## build the documentation as a site in the folder site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

preview: $(PREVIEW)/node_modules/made ## draw the dashboards as pictures, of a demo fleet or of your Prometheus
ifeq ($(strip $(PREVIEW_ARGS)),)
	@$(MAKE) --silent --no-print-directory $(VENV)/demo
	@node $(PREVIEW)/demo.js $(BIN)/bioagents demo
else
	@node $(PREVIEW)/preview.js $(PREVIEW_ARGS)
endif

deps: ## install the missing Debian packages for the tests with apt, and newer servers into the folder .servers
	@.ci/deps $(DEBIAN)
	@.ci/newer .servers $(NEWER)

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) site .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist $(PREVIEW)/node_modules $(PREVIEW)/dist

# Package scripts do not run. No lock file is written, because it would contain the registry of this machine.
$(PREVIEW)/node_modules/made: $(PREVIEW)/package.json
	@command -v npm > /dev/null || { echo 'Node 20 or newer and npm are needed' >&2; exit 1; }
	cd $(PREVIEW) && npm install --engine-strict --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

# Created again when pyproject.toml changes, so that a removed dependency is missing here too.
# On Debian, `venv` needs a separate package; apt installs it if it is missing.
$(VENV)/made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.13' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || .ci/deps python3-venv
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --upgrade 'pip>=25.1' # the first that knows dependency groups
	@touch $@

$(VENV)/demo: $(VENV)/made
	$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/dev: $(VENV)/made
	$(PIP) install --editable '.[all]' --group dev
	@touch $@
