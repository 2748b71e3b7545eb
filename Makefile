# make demo: everything from nothing to executed notebooks. make test: everything from nothing to the tests.
# Needs Python 3.10 or newer and a package index; a missing venv module is installed where apt-get may be used.

PYTHON ?= python3
VENV ?= .venv
# further requirements, for a second environment: make test VENV=.venv-kfp216 WITH='kfp==2.16.1'
WITH ?=
# which tests: everything that is not slow; empty for all
MARKS ?= not slow
# in which files and folders; empty for all
TESTS ?=
# those that compile pipelines or run what was compiled, where kfp's version can matter
KFP_TESTS := $(addprefix tests/,pipeline test_api.py test_compat.py test_differential.py test_exported.py) \
  $(addprefix tests/runs/,test_both_ways.py test_branches.py test_conformance.py test_corpus.py) \
  $(addprefix tests/runs/kubeflow/test_,submit.py upload_engine.py uploads.py) \
  $(addprefix tests/runs/local/test_,constructs.py old_compilers.py platform.py semantics.py values.py vocabulary.py) \
  $(addprefix tests/capture/test_,capture.py embedded.py notebooks.py transforms.py values.py) \
  $(addprefix tests/studies/test_,on_a_cluster.py tune.py)

SHELL := /bin/bash
BIN := $(VENV)/bin
NPM := VENV=$(VENV) scripts/with-node npm --prefix js
STAMP := $(VENV)/.installed
DEMO := $(addprefix examples/,quickstart.ipynb text_summarization.ipynb hyperparameter_tuning.ipynb distributed_training.ipynb serving.ipynb monitoring.ipynb)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-oldest lint format types bench screenshots reference docs wheel clean chromium protocol live test-live test-kubernetes

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(firstword $(MAKEFILE_LIST)) | awk -F': ' '{printf "make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## set up .venv with kfnb, what its examples need and what its tests need

$(STAMP): pyproject.toml scripts/install $(wildcard jupyter-config/*)
	@PYTHON='$(PYTHON)' scripts/install '$(VENV)' $(WITH)
	@touch $@

demo: install ## execute the example notebooks here, on the local backend; demo/ then holds them and their HTML
	@$(BIN)/kfnb run $(DEMO) --jobs 2 --html --output-dir demo
	@echo "The executed notebooks and their HTML are in $(CURDIR)/demo"

test: install chromium ## run the tests
	$(BIN)/python -m pytest -n logical --dist loadgroup -m '$(MARKS)' $(TESTS)

test-kubernetes: install ## test against a Kubernetes started from KUBEBUILDER_ASSETS, or that of KFNB_TEST_KUBECONFIG
	@if [ -z "$$KUBEBUILDER_ASSETS$$KFNB_TEST_KUBECONFIG" ]; then echo 'Say where Kubernetes is: KUBEBUILDER_ASSETS is a'\
	 'folder with etcd and kube-apiserver, KFNB_TEST_KUBECONFIG the kubeconfig of a cluster to test against.' >&2; exit 2; fi
	$(BIN)/python -m pytest -n 0 tests/kubernetes

chromium: ## install the browser that tests and screenshots use, where apt-get may; elsewhere those tests skip
	@scripts/install-chromium

test-oldest: ## run the tests of pipelines with the oldest kfp that is supported, in an environment of its own
	@$(MAKE) test VENV=.venv-oldest WITH='kfp==2.16.1' TESTS='$(KFP_TESTS)'

lint: install ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install ## put style and format right where that can be done by itself
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

types: install ## check types
	$(BIN)/mypy

reference: install ## write docs/reference.md from the registry
	$(BIN)/python scripts/reference.py

docs: .venv-docs ## build the documentation's site in build/site; a link that leads nowhere is an error
	$</bin/zensical build --clean --strict

.venv-docs: ## what builds it, in an environment of its own
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet 'zensical>=0.0.73' 'mkdocstrings-python>=2' ruff

bench: install .venv-kale .venv-evidently ## measure speed, side by side with what it is compared to
	$(BIN)/python -W ignore -m benchmarks

.venv-evidently: ## a peer of monitors, in an environment of its own; the benchmark does without it
	$(BIN)/python -m venv $@
	-$@/bin/python -m pip install --quiet 'evidently==0.7.23' 'pandas==2.3.3'

.venv-kale: ## the peer, in an environment of its own
	$(BIN)/python -m venv $@
	$@/bin/python -m pip install --quiet 'kubeflow-kale==2.3.0'

screenshots: install chromium ## take the pictures in docs/images anew, in JupyterLab and Chromium
	$(BIN)/python scripts/screenshots.py

js/node_modules: js/package-lock.json | $(STAMP)
	$(NPM) ci --no-audit --no-fund
	@touch $@

protocol: install ## write js/src/protocol.ts anew, from kfnb/live/messages.py
	$(BIN)/python scripts/protocol.py

live: js/node_modules ## build the live picture, kfnb/live/static/live.js, from js/
	$(NPM) run build

test-live: js/node_modules ## check and test js/, and that what is built from it is what is kept
	$(NPM) run check
	$(NPM) test
	$(NPM) run build
	git diff --exit-code --stat -- kfnb/live/static

wheel: install ## build the wheel and the source distribution into dist/
	$(BIN)/python -m build

clean: ## remove what make has made
	rm -rf .venv .venv-oldest js/node_modules dist build demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find kfnb tests -name __pycache__ -type d -prune -exec rm -rf {} +
