"""Fixtures that several test files share."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import third_party

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("hearth", deadline=None)
settings.load_profile("hearth")


@pytest.fixture
def third_party_variables(tmp_path: Path) -> dict[str, str]:
    """Makes the programs of `tests.support.third_party` known to a worker."""
    return third_party.install(tmp_path)
