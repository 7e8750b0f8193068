"""Files that change while a model is being loaded from them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import LoadFailed, StaleModel
from hearth_worker.programs.noop import Noop
from hearth_worker.protocol.reports import TensorPort
from hearth_worker.protocol.requests import Load
from tests.support.loading import LoadingModels
from tests.support.verified_files import load_of_noop, verified


class HalfLoaded:
    """A model that remembers whether it was freed."""

    inputs: list[TensorPort] | None = None
    outputs: list[TensorPort] | None = None
    weights_bytes = 0
    is_closed = False

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def close(self) -> None:
        self.is_closed = True


class SlowEngine:
    """While it loads, something happens."""

    versions: Mapping[str, str] = {}

    def __init__(self, happen: Callable[[], None]) -> None:
        self._happen = happen
        self.models: list[HalfLoaded] = []

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> HalfLoaded:
        self._happen()
        self.models.append(HalfLoaded(manifest))
        return self.models[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the model."""
    path = tmp_path / "weights"
    path.write_bytes(b"a content")
    return path


def rename_another_over(path: Path) -> None:
    """What was opened is whole, but an engine that opens files by their names may have got the other one."""
    other = path.with_suffix(".new")
    other.write_bytes(b"another..")
    other.rename(path)


def there_and_back(path: Path) -> None:
    """Another file lay in its place for a while."""
    aside = path.rename(path.with_suffix(".old"))
    path.write_bytes(b"another..")
    aside.rename(path)


@pytest.mark.parametrize("happen", [Path.touch, Path.unlink, rename_another_over, there_and_back])
def test_what_was_loaded_from_files_that_changed_meanwhile_is_freed_and_refused(
    path: Path, happen: Callable[[Path], None]
) -> None:
    request = load_of(path)
    engine = SlowEngine(lambda: happen(path))
    loading = LoadingModels(engine, {"noop": Noop})
    with pytest.raises(StaleModel, match="weights"):
        loading.load(request)
    assert 1 not in loading.models
    assert [model.is_closed for model in engine.models] == [True]


def test_what_an_engine_says_of_files_that_change_under_it_is_beside_the_point(path: Path) -> None:
    def spoil_and_complain() -> None:
        path.write_bytes(b"half")
        raise LoadFailed("It is no model.")

    with pytest.raises(StaleModel):
        LoadingModels(SlowEngine(spoil_and_complain)).load(load_of(path))


def test_what_it_says_of_files_that_did_not_change_counts(path: Path) -> None:
    def complain() -> None:
        raise LoadFailed("It is no model.")

    with pytest.raises(LoadFailed, match="no model"):
        LoadingModels(SlowEngine(complain)).load(load_of(path))


def test_a_program_made_after_its_files_were_replaced_is_not_used(path: Path) -> None:
    loading = LoadingModels(SlowEngine(lambda: None), {"noop": Noop, "late": Noop})
    loading.load(load_of(path))
    models = loading.models
    rename_another_over(path)
    assert models.change_of(1) is None
    assert models.bind(1, "noop", []).model == 1
    for _ in range(2):
        with pytest.raises(StaleModel):
            models.bind(1, "late", [])


def load_of(path: Path) -> Load:
    """A LOAD of the file as it is now."""
    return msgspec.convert(load_of_noop(verified(path)), Load)
