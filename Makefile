# `make demo` shows the main job, `make test` passes the tests. Both prepare a fresh machine
# first: see packaging/prepare.sh.

PYTHON := .venv/bin/python
READY := .venv/ready

.PHONY: demo test check lock clean

demo: $(READY)
	$(PYTHON) -m tests.demo

test: $(READY)
	$(PYTHON) -m pytest -n 4

check: $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy selfmx_backupd tests
	.venv/bin/lint-imports

$(READY): packaging/prepare.sh packaging/requirements-dev.lock pyproject.toml
	packaging/prepare.sh
	touch $@

# Writes the versions and hashes that `prepare.sh` installs.
lock: $(READY)
	$(PYTHON) -m pip install --quiet uv
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	    --no-header --no-emit-index-url --extra msodbc --group dev \
	    --output-file packaging/requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
