"""Fixtures that several test files share."""

from pathlib import Path

import pytest

from tests.support import third_party


@pytest.fixture
def third_party_variables(tmp_path: Path) -> dict[str, str]:
    """Makes the programs of `tests.support.third_party` known to a worker."""
    return third_party.install(tmp_path)
