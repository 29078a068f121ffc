# Python 3.11 or later and make are all that is needed: everything else comes into .venv and node_modules.

PYTHON ?= python3
ARGS ?=

# Each step of the set-up keeps one processor busy or waits for the network.
MAKEFLAGS += --jobs=2

BIN := .venv/bin
LOG := .setup.log
LOG_OF_STEP = .setup-$(subst /,-,$(@D)).log
CONTRACT_SOURCES := $(wildcard contracts/src/*.sol contracts/src/*/*.sol contracts/scripts/*) contracts/hardhat.config.js
# The files name every package, those that others need too: to work that out again takes as long as to download.
PIP_INSTALL := -m pip install --disable-pip-version-check --no-input --retries 2 --no-deps

# $(call quietly,what it does,the command,what to do when it fails)
define quietly
@echo '$(1) ...'; ( $(2) ) >$(LOG_OF_STEP) 2>&1 && rm $(LOG_OF_STEP) || { mv $(LOG_OF_STEP) $(LOG); \
	echo '$(1) failed: '"$$(grep -v -e '^ *$$' -e 'complete log of this run' $(LOG) | tail -n 1)"; echo '$(3) The whole log is in $(LOG).'; exit 1; }
endef

ONLINE := This step needs the network or a package mirror: check the connection and run make again.

.PHONY: help setup demo up test test-deep fuzz check bench
help:
	@echo 'make demo       run real jobs through to on-chain confirmation, and verify them'
	@echo 'make up         start the stack and leave it running; Ctrl-C stops all of it'
	@echo 'make test       run the tests (make test-deep: the long ones)'
	@echo 'make fuzz       call the stack that make up runs in every way that its specification allows, and does not'
	@echo 'make check      formatting, lint, types, import rules, API description'
	@echo 'make bench      benchmarks, with peers side by side'
	@echo 'make setup      only set up'

setup: $(BIN)/.installed contracts/node_modules/.installed contracts/artifacts/.built tools/node_modules/.installed
	@:

demo: setup
	@$(BIN)/python -m emulation demo $(ARGS)

up: setup
	@$(BIN)/python -m emulation up $(ARGS)

# What starts no stack of its own waits half of the time, so four of it keep two cores busy, and so do two stacks.
# Where requests come by the second, or many at once, a stack has both cores.
SIDE_BY_SIDE := chalicelib client emulation \
    $(addprefix tests/,admin api chain client conformance crash gateway policies security unit)
ALONE := $(addprefix tests/e2e/,test_end_to_end.py test_long_jobs.py test_plans.py test_rotation.py)

test: setup .venv-ministack/.installed
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest -m 'not deep' -n 4 --dist loadfile --no-loadscope-reorder $(SIDE_BY_SIDE)
	@$(BIN)/python -m pytest -m 'not deep' -n 2 --dist loadfile tests $(addprefix --ignore=,$(SIDE_BY_SIDE) $(ALONE))
	@$(BIN)/python -m pytest -m 'not deep' $(ALONE)
else
	@$(BIN)/python -m pytest -m 'not deep' $(ARGS)
endif

test-deep: setup .venv-ministack/.installed .venv-slither/.installed .venv-halmos/.installed \
    tools/foundry/node_modules/.installed
	@$(BIN)/python -m pytest -m deep $(ARGS)

fuzz: setup
	@$(BIN)/python -m tests.api.fuzz $(ARGS)

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd contracts && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent lint
	$(BIN)/python -m chalicelib.admin openapi | cmp - openapi.yml
	$(BIN)/openapi-spec-validator openapi.yml
	$(BIN)/python -m chalicelib.admin compatible
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix tools run --silent spectral
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix tools run --silent redocly

bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

$(BIN)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Python 3.11 or later is needed and "$(PYTHON)" is not one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11'; exit 1; }
	$(call quietly,Making the Python environment,$(PYTHON) -m venv .venv,Debian and Ubuntu: apt install python3-venv.)
	@touch $@

$(BIN)/.installed: requirements-dev.txt | $(BIN)/.made
	$(call quietly,Installing the Python packages,$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt,$(ONLINE))
	@touch $@

.venv-ministack/.installed: requirements-ministack.txt | $(BIN)/.made
	$(call quietly,Making an environment for the second emulator and the AWS CLI,$(BIN)/python -m venv .venv-ministack,See above.)
	$(call quietly,Installing the second emulator and the AWS CLI,.venv-ministack/bin/python $(PIP_INSTALL) -r requirements-ministack.txt,$(ONLINE))
	@touch $@

# An environment each, for slither pins an older web3 than ours.
.venv-slither/.installed .venv-halmos/.installed: .venv-%/.installed: requirements-%.txt | $(BIN)/.made
	$(call quietly,Making an environment for $*,$(BIN)/python -m venv .venv-$*,See above.)
	$(call quietly,Installing $*,.venv-$*/bin/python $(PIP_INSTALL) -r requirements-$*.txt,$(ONLINE))
	@touch $@

contracts/node_modules/.installed: contracts/package-lock.json $(BIN)/.installed
	$(call quietly,Installing the contract tools,cd contracts && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund,$(ONLINE))
	@touch $@

tools/node_modules/.installed: tools/package-lock.json $(BIN)/.installed
	$(call quietly,Installing the tools of the specification,cd tools && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund,$(ONLINE))
	@touch $@

tools/foundry/node_modules/.installed: tools/foundry/package-lock.json $(BIN)/.installed
	$(call quietly,Installing a second chain node and a second build of the contracts,\
		cd tools/foundry && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund,\
		It is there for Linux on x86-64 alone. $(ONLINE))
	@touch $@

contracts/artifacts/.built: $(CONTRACT_SOURCES) contracts/node_modules/.installed
	$(call quietly,Building the contracts,cd contracts && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build,The contracts do not compile.)
	@touch $@
