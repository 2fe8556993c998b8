# Everything a person or CI does here. `make` alone lists it.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# What `make demo` needs, and what working on the project needs on top of it.
RUN_EXTRAS = demo,journal,wake,boards,window
DEV_EXTRAS = demo,journal,plot,test,dev,boards,window
DOCS_EXTRAS = $(DEV_EXTRAS),docs
T ?=

.DEFAULT_GOAL := help
.PHONY: help python format setup setup-dev demo test test-fresh test-lowest dist wheels package.json check docs pictures format soak test-powercut test-chaos test-micropython boards kernels hil bench bench-bridge bench-history bench-serve bench-window bench-nab bench-wear bench-fan bench-models clean

help: ## list the targets
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 12

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "setup: $(PYTHON) is not there; apt-get install python3 python3-venv, or make setup PYTHON=..." >&2; exit 1; }

setup: python ## make .venv with what the demo and the gateway need
	@$(PYTHON) tools/setup_venv.py $(VENV) $(RUN_EXTRAS)

setup-dev: python ## make .venv with everything that tests and boards need
	@$(PYTHON) tools/setup_venv.py $(VENV) $(DEV_EXTRAS)

demo: setup ## a virtual board, a broker, the bridge and a live view; no root, no board
	@$(BIN)/kittiwake demo $(ARGS)

test: setup-dev ## every test, as CI runs it (T=path or T='-k name' for some)
	@$(BIN)/python tools/system.py
	@$(BIN)/python tools/micropython/build.py || test "$$CI" != true  # elsewhere their tests are skipped, by name
	@$(BIN)/python tools/foreign.py || test "$$CI" != true
	@$(BIN)/python -m pytest -n auto --target all $(T)

test-fresh: setup ## from nothing to green, as root: make demo and make test on new machines (ARGS='--only demo')
	@$(BIN)/python tools/fresh/run.py $(ARGS) $(if $(T),-- "T=$(T)")

test-lowest: python ## the unit and CLI tests on the lowest versions that pyproject.toml allows
	@$(PYTHON) tools/setup_venv.py $(VENV) lowest
	@$(BIN)/python tools/lowest.py build/lowest $(DEV_EXTRAS) $(T)

dist: setup-dev ## build the wheel and the sdist into dist/, and check them
	@rm -rf dist
	@$(BIN)/python -m hatchling build
	@$(BIN)/twine check --strict dist/*

wheels: boards ## build the wheels kittiwake and kittiwake-boards (the emulated boards, built) into dist/
	@$(BIN)/python -m hatchling build -t wheel
	@$(BIN)/python tools/boards_wheel.py

package.json: setup-dev ## write the lists of the firmware's files for mip, network.json too
	@$(BIN)/python tools/mip_package.py

check: setup-dev ## lint, format, types, the three laws, the documents, stale kernels and package.json, and that the tree names no private place
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "check: run make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m tools.assemble --check
	@$(BIN)/python tools/mip_package.py --check
	@$(BIN)/python -m pytest -q tests/unit/test_layers.py tests/unit/test_tree.py tests/unit/test_types.py \
	  tests/unit/test_documents.py tests/unit/test_reference_pages.py tests/unit/test_reference_node.py

docs: python ## the documents as a site, in build/docs: every warning is an error
	@$(PYTHON) tools/setup_venv.py $(VENV) $(DOCS_EXTRAS)
	@$(BIN)/python -m sphinx -W --keep-going --quiet --jobs auto -b html docs build/docs
	@echo "docs: open build/docs/index.html"

pictures: setup-dev ## make the pictures of the window that the documents show, by its tests
	@$(BIN)/python tools/system.py chromium mosquitto
	@KITTIWAKE_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/window

format: setup-dev ## put the code into ruff's form
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

soak: setup-dev ## the long versions of the parity and chaos tests
	@$(BIN)/python tools/system.py
	@$(BIN)/python tools/micropython/build.py
	@$(BIN)/python tools/foreign.py
	@KITTIWAKE_SOAK=1 $(BIN)/python -m pytest --target all --timeout 3600 $(T)

test-powercut: setup-dev ## cut the power at every flash operation; ends with a line of figures
	@$(BIN)/python tools/system.py
	@KITTIWAKE_SOAK=1 $(BIN)/python -m pytest -q --timeout 7200 --target all tests/powercut tests/hil/test_power_cuts.py $(T)

test-chaos: setup-dev ## kill, cut and reboot everything; ends with a line of figures
	@$(BIN)/python tools/system.py
	@$(BIN)/python -m pytest -q tests/chaos

test-micropython: setup-dev boards ## MicroPython's own tests on the unix port and every emulated board (T='--target unix' for one)
	@KITTIWAKE_SOAK=1 $(BIN)/python -m pytest -q --timeout 600 $(or $(T),--target all) tests/upstream

boards: setup-dev ## build MicroPython for the emulated boards (cached)
	@$(BIN)/python tools/micropython/build.py

kernels: setup-dev ## make the modules of the kernels that are written in assembler (firmware/assembler)
	@$(BIN)/python tools/system.py arm-none-eabi-gcc riscv64-unknown-elf-gcc
	@$(BIN)/python -m tools.assemble

hil: setup-dev ## the tests on a real board: make hil PORT=/dev/ttyUSB0
	@test -n "$(PORT)" || { echo "hil: name the board's port: make hil PORT=/dev/ttyUSB0" >&2; exit 2; }
	@$(BIN)/python -m pytest tests/hil --board="$(PORT)" --only-boards $(T)

bench: setup-dev ## costs per sample on a target: make bench T=unix
	@$(BIN)/kittiwake bench $(if $(T),--target $(T)) --json

bench-bridge: setup-dev ## records a second beside bare paho, latency, memory and CPU of the bridge
	@$(BIN)/python tools/system.py
	@$(BIN)/python tools/bench_bridge.py $(ARGS)

bench-history: setup-dev ## rows a second of the history beside bare SQLite and bare COPY, and a month asked by the hour
	@$(BIN)/python tools/system.py pg_ctlcluster
	@$(BIN)/python tools/bench_history.py $(ARGS)

bench-serve: setup-dev ## requests a second of the inference service beside the guide's sample
	@$(BIN)/python tools/bench_serve.py $(ARGS)

bench-window: setup-dev ## first view, points and panning of the window in Chromium, its costs and memory (ARGS='--seconds 3600')
	@$(BIN)/python tools/system.py chromium mosquitto
	@$(BIN)/python tools/bench_window.py $(ARGS)

bench-nab: setup-dev ## the Numenta Anomaly Benchmark, its controls and a picture: make bench-nab NAB=DIR
	@test -n "$(NAB)" || { echo "bench-nab: name the benchmark's folder: make bench-nab NAB=DIR" >&2; exit 2; }
	@mkdir -p build && $(BIN)/python tools/bench_nab.py "$(NAB)" -o build/nab.svg $(ARGS)

bench-wear: setup-dev ## how many years of flash the journal's loads leave
	@$(BIN)/python tools/bench_wear.py $(ARGS)

bench-fan: setup-dev ## the baseline on a fan's vibration: make bench-fan FAN=DIR
	@test -n "$(FAN)" || { echo "bench-fan: name the recordings' folder: make bench-fan FAN=DIR" >&2; exit 2; }
	@$(BIN)/python tools/bench_fan.py "$(FAN)" $(ARGS)

bench-models: setup-dev ## which of a folder of .tflite models run, byte for byte: make bench-models MODELS=DIR
	@test -n "$(MODELS)" || { echo "bench-models: name the models' folder: make bench-models MODELS=DIR" >&2; exit 2; }
	@$(BIN)/python tools/check_models.py "$(MODELS)" $(ARGS)

clean: ## remove what the others made
	rm -rf $(VENV) .cache build dist host/kittiwake/window/page/parts .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
