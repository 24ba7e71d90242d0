# Two commands do everything: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMP := $(VENV)/.installed
WIDGETS := widgets/athena_widgets/static/.built
KERNELS := $(VENV)/.kernels
KERNEL_SOURCES := $(shell find pipelines/athena_pipelines/core athena/formats -name "*.py")
TS := $(wildcard widgets/js/src/*.ts widgets/js/src/*.css widgets/js/*.json widgets/js/*.mjs widgets/js/*.py) \
      widgets/athena_widgets/tokens.json athena/zarrio/layout.py

# what is imported again and again is compiled once, whatever the caller's environment says
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up test coverage check fix fuzz fuzz-formats shots bench bench-live bench-portal bench-sessions features docs openapi install widgets clean

# the front end waits for the network, the kernels for the processor: side by side
install: $(STAMP)
	@$(MAKE) --no-print-directory -j2 $(WIDGETS) $(KERNELS)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python -e '.[dev]'
	touch $@

widgets: $(WIDGETS)

$(WIDGETS): $(STAMP) $(TS)
	$(BIN)/python widgets/js/build.py
	touch $@

# compiled once here, so that no worker has to at its first movie; byte code too, which may not be written later
$(KERNELS): $(STAMP) $(KERNEL_SOURCES)
	$(BIN)/athena process movie --help > /dev/null
	$(BIN)/python -c "import athena.formats.tiff, athena_pipelines.steps.outputs, PIL.Image; PIL.Image.preinit(); \
	  from athena_pipelines.steps import warm_up; warm_up()"
	touch $@

demo: install
	$(BIN)/athena demo

up: install
	$(BIN)/athena up

test: install
	$(BIN)/python tests/setup_machine.py
	$(BIN)/python -m pytest -n 3 --dist loadfile --reruns 2 $(PYTEST_ARGS)

# takes half as long again: every server the tests start is traced line by line
coverage:
	$(MAKE) test PYTEST_ARGS='--cov --cov-report=term'

check: install
	$(BIN)/python tests/checks.py

fix: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: install
	$(BIN)/python -m athena.server.openapi
	$(BIN)/python widgets/js/build.py --client

shots: install
	$(BIN)/python tests/setup_machine.py
	$(BIN)/python -m tests.browser.shots $(SHOTS_ARGS)

bench: install
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only -m ''

# a session at a microscope's pace, a quarter of an hour on a machine with nothing else to do
bench-live: install
	$(BIN)/python -m tests.benchmarks.live $(LIVE_ARGS)

# opening, navigating, long runs: a few minutes on a machine with nothing else to do
bench-portal: install
	$(BIN)/python tests/setup_machine.py
	$(BIN)/python -m tests.benchmarks.portal $(PORTAL_ARGS)

# 25 tabs on a run that grows, a few minutes on a machine with nothing else to do
bench-sessions: install
	$(BIN)/python tests/setup_machine.py
	$(BIN)/python -m tests.benchmarks.sessions $(SESSIONS_ARGS)

# a seed of its own each time: what it finds, it says how to repeat
fuzz: install
	ATHENA_FUZZ_EXAMPLES=$${EXAMPLES:-150} ATHENA_FUZZ_SEED=$${SEED:-random} $(BIN)/python -m pytest tests/server/test_fuzz.py -q

# damaged movies, images and metadata; SEED=… ONLY=number repeats one of them
fuzz-formats: install
	EXAMPLES=$${EXAMPLES:-20000} $(BIN)/python -m tests.formats.fuzz_run

features: install
	$(BIN)/python tests/features.py

docs: install
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) widgets/athena_widgets/static widgets/js/node_modules site
