# `make demo` shows the main job, `make test` passes the tests. Both prepare a fresh machine
# first: see packaging/prepare.sh.

PYTHON := .venv/bin/python
READY := .venv/ready
# What the stand-ins were sent, for the judge.
SQL_LOGS := .cache/sql-logs
# Who has nothing left to do takes over: the long tests are not spread evenly.
PARALLEL := -n 4 --dist worksteal
# As in tests/machine/roots.py.
DEBIANS := bookworm trixie

.PHONY: demo test test-faults test-system check catalog lock clean

demo: $(READY)
	$(PYTHON) -m tests.demo

test: $(READY)
	rm -rf $(SQL_LOGS)
	SELFMX_TEST_SQL_LOGS=$(SQL_LOGS) $(PYTHON) -m pytest $(PARALLEL) -m "not faults and not machine"
	$(PYTHON) -m tests.judge $(SQL_LOGS)

# What takes too long for every change: the tests with the marker `faults`.
test-faults: $(READY)
	rm -rf $(SQL_LOGS)-faults
	SELFMX_TEST_SQL_LOGS=$(SQL_LOGS)-faults $(PYTHON) -m pytest $(PARALLEL) -m faults tests/system
	$(PYTHON) -m tests.judge $(SQL_LOGS)-faults

# The units under a real systemd: boots Debians in containers, side by side; wants root.
test-system: $(READY)
	$(MAKE) --jobs=2 --output-sync=target $(DEBIANS:%=test-system-%)

test-system-%: $(READY)
	$(PYTHON) -m pytest -m machine -k $* tests/machine

check: $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy selfmx_backupd tests
	.venv/bin/lint-imports

$(READY): packaging/prepare.sh packaging/requirements-dev.lock pyproject.toml
	packaging/prepare.sh
	touch $@

# Writes what `journalctl -x` says about each event.
catalog: $(READY)
	$(PYTHON) -c 'from selfmx_backupd import explanations as e; print(e.catalog(), end="")' \
	    >systemd/selfmx-backupd.catalog

# Writes the versions and hashes that `prepare.sh` installs.
lock: $(READY)
	$(PYTHON) -m pip install --quiet uv
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	    --no-header --no-emit-index-url --extra msodbc --group dev \
	    --output-file packaging/requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
