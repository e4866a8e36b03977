# Everything from a clean clone:  make demo   make test   make up   make lint
# Each builds .venv here first, with uv where it can be had and plain pip where not. What they
# install is compiled at once: else each command might do it anew, and take twice as long.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
CLUB ?= .demo/club

# Beside the shell's PATH, uv may have been put into .tools by an earlier run.
FIND_UV = command -v uv || { test -x .tools/bin/uv && echo .tools/bin/uv; } || \
	{ $(PYTHON) -m pip install -qq --target .tools uv >&2 && echo .tools/bin/uv; } || true

.PHONY: demo test faults year up lint format clean

demo: $(VENV)/installed
	$(BIN)/sampark demo $(CLUB)

up: $(VENV)/installed
	@test -f $(CLUB)/club.yaml || $(BIN)/sampark demo $(CLUB)
	$(BIN)/sampark --project $(CLUB) up

# On all cores. A file stays in one process, with what is set up for it; each process has a
# PostgreSQL of its own.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# Four minutes and more: hundreds of kills over ten thousand sends, on each database.
faults: $(VENV)/installed-dev
	$(BIN)/python tests/faults/full.py

# Five minutes or so: a year of really sweeping, day by day into the catchers, against its simulation.
year: $(VENV)/installed-dev
	$(BIN)/python tests/year/full.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) .tools .demo

# `editables` is what an editable install of ours imports at start; uv does not bring it by itself.
$(VENV)/installed: pyproject.toml constraints.txt
	@uv=$$($(FIND_UV)); \
	if [ -n "$$uv" ]; then \
		test -x $(BIN)/python || "$$uv" venv --quiet --python "$(PYTHON)" $(VENV); \
		"$$uv" pip install --quiet --compile-bytecode --python $(BIN)/python \
			-c constraints.txt -e . editables; \
	else \
		test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV); \
		$(BIN)/pip install --quiet -c constraints.txt -e . editables; \
	fi
	@touch $@

# pip learnt of dependency groups late: the group is read from pyproject.toml instead.
$(VENV)/installed-dev: $(VENV)/installed
	@uv=$$($(FIND_UV)); \
	$(BIN)/python -c 'import tomllib; \
	groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; \
	print("\n".join(groups["dev"]))' > $(VENV)/dev-requirements.txt; \
	if [ -n "$$uv" ]; then \
		"$$uv" pip install --quiet --compile-bytecode --python $(BIN)/python \
			-c constraints.txt -r $(VENV)/dev-requirements.txt; \
	else \
		$(BIN)/pip install --quiet -c constraints.txt -r $(VENV)/dev-requirements.txt; \
	fi
	@touch $@
