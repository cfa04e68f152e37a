"""Both drivers, each a parameter; one that is missing is a skip, under CI a failure."""

import os

import pytest

from tests.standin.drivers import known


@pytest.fixture(params=["msodbcsql18", "freetds"])
def driver(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    found = known()[name]
    if found.library is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name}: {found.missing_because}")
        pytest.skip(f"{name}: {found.missing_because}")
    return name
