# The front door of polyipc. Each target does the set-up it needs (tools/setup); real work is done by
# CMake, the go command and small programs under tools/, tests/ and bench/.
PYTHON ?= python3
PREFIX ?= /usr/local
SUITES ?=
ARGS ?=
FUZZTIME ?= 60s
MINUTES ?= 60
PYTHONS ?=
N ?= 1

MAKEFLAGS += --no-print-directory
VENV := .venv/bin
CMAKE_BUILD := cmake --build build --parallel
RUN_TESTS := $(VENV)/python tests/run.py

.DEFAULT_GOAL := help
.PHONY: help demo test check format build wheel bench chaos soak fuzz pythons compat mutants install uninstall clean distclean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: build ## processes in Go, C and Python work through real files; ARGS="--input DIR" for other trees
	$(VENV)/python examples/identifiers/demo.py $(ARGS)

test: build ## run all test suites, or those named in SUITES="go python"
	tools/testsuite
	$(RUN_TESTS) $(SUITES)

check: .venv/ready ## run the linters and formatters; change nothing
	tools/check

format: .venv/ready ## let the formatters rewrite what check complains about
	tools/check --fix

build: build/CMakeCache.txt ## make build/lib/libpolyipc.so, build/bin/polyipc and a .venv that imports polyipc
	$(CMAKE_BUILD)

wheel: .venv/ready ## make the Python wheel in dist/
	$(VENV)/python tools/wheel.py dist

bench: build ## measure polyipc and its peers side by side; QUICK=1 takes a minute or two
	$(VENV)/python -m bench.run $(if $(QUICK),--quick) $(ARGS)
	$(if $(ARGS),,$(VENV)/python -m bench.dropin $(if $(QUICK),--quick))

chaos: build ## kill processes at length; reports how long recovery takes
	$(RUN_TESTS) --long chaos

soak: build ## repeat the suites for MINUTES=60
	$(RUN_TESTS) --minutes $(MINUTES) go cross chaos

fuzz: .venv/ready ## run each Go fuzz target for FUZZTIME=60s
	tools/fuzz $(FUZZTIME)

pythons: build ## run the Python suites with PYTHONS="python3.9 python3.13" instead of .venv's; COMPAT=1: compat, too
	tools/pythons $(if $(COMPAT),--compat) $(PYTHONS)

compat: build ## run CPython's own tests of multiprocessing over polyipc, N=1 times
	tools/testsuite
	$(VENV)/python tests/compat/compat.py --times $(N) $(ARGS)

mutants: build ## break the code in one-line ways and see which test notices
	$(VENV)/python tests/mutants/mutate.py $(ARGS)

install: build ## install under PREFIX=/usr/local
	cmake --install build --prefix $(abspath $(PREFIX))

uninstall: ## remove exactly what install put under PREFIX=/usr/local
	cmake -DPREFIX=$(abspath $(PREFIX)) -P cmake/uninstall.cmake

clean: ## remove what build and wheel made
	rm -rf build dist

distclean: clean ## remove the virtual environment as well
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

build/CMakeCache.txt: .venv/ready CMakeLists.txt
	cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo
	@touch $@

.venv/ready: tools/setup tools/requirements.txt
	PYTHON=$(PYTHON) tools/setup
