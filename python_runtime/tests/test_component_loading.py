"""Models that load component by component, in this process."""

from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import msgspec
import pytest

from hearth_worker import memory
from hearth_worker.byte_budget import ByteBudget
from hearth_worker.engines.engine import EngineSettings
from hearth_worker.failures import LoadFailed, OutOfMemory, StaleModel
from hearth_worker.memory import MemoryUse
from hearth_worker.model_load import LoadLimits
from hearth_worker.models import LoadEnded, NotRunnable
from hearth_worker.private_growth import PrivateGrowth
from hearth_worker.programs.noop import Noop
from hearth_worker.protocol.reports import ComponentLoaded, Loaded
from hearth_worker.protocol.requests import Load
from tests.support.gated_engine import WEIGHTS_BYTES, GatedEngine, Gates, gated
from tests.support.listener import WAIT_S_MAX
from tests.support.loading import LoadingModels
from tests.support.verified_files import verified


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine(EngineSettings(threads=1, wake=lambda: None))


@pytest.fixture
def loading(engine: GatedEngine) -> LoadingModels:
    return LoadingModels(engine, {"noop": Noop})


def test_components_that_do_not_wait_for_each_other_open_at_the_same_time(
    loading: LoadingModels, engine: GatedEngine, tmp_path: Path
) -> None:
    with gated(tmp_path, {"encoder": [], "unet": [], "decoder": ["encoder"]}) as gates:
        begin(loading, gates)
        news = loading.news()
        for component in ("encoder", "decoder", "unet"):
            # The last is there all the time: who opens its gate waits only for its opening to have begun.
            gates.open(component)
            told = next(news)
            assert isinstance(told, ComponentLoaded)
            assert (told.model, told.component, told.weights_bytes) == (1, component, WEIGHTS_BYTES)
        ended = next(news)
        assert isinstance(ended, LoadEnded)
        assert isinstance(ended.result, Loaded)
        assert (ended.request_id, ended.result.weights_bytes) == (5, 3 * WEIGHTS_BYTES)
        assert not loading.models.is_loading(1)
        assert engine.models[0].opened == ["encoder", "decoder", "unet"]


def test_of_those_that_could_go_the_one_with_the_heaviest_path_goes_first(engine: GatedEngine, tmp_path: Path) -> None:
    loading = LoadingModels(engine, limits=LoadLimits(threads=1))
    sizes = {"small": 1, "large": 90, "middling": 50, "tiny": 0}
    with gated(tmp_path, {"tiny": [], "middling": [], "large": ["small"], "small": []}, sizes) as gates:
        begin(loading, gates)
        for component in ("small", "large", "middling", "tiny"):
            gates.open(component)
        assert loading.components(4) == ["small", "large", "middling", "tiny"]


def test_while_one_thread_is_on_the_heaviest_path_the_other_opens_the_lightest_first(
    loading: LoadingModels, engine: GatedEngine, tmp_path: Path
) -> None:
    sizes = {"unet": 90, "checker": 50, "encoder": 10, "decoder": 20}
    with gated(tmp_path, {name: [] for name in sizes}, sizes) as gates:
        begin(loading, gates)
        for component in ("encoder", "decoder", "checker", "unet"):
            gates.open(component)
            assert loading.components(1) == [component]
        begun = engine.models[0].begun
        assert {begun.get(), begun.get()} == {"unet", "encoder"}
        assert [begun.get(), begun.get()] == ["decoder", "checker"]


def test_a_component_can_be_used_before_the_model_is_whole(loading: LoadingModels, tmp_path: Path) -> None:
    models = loading.models
    with gated(tmp_path, {"encoder": [], "unet": []}) as gates:
        begin(loading, gates)
        assert models.expects(1, ["encoder"])
        assert models.expects(1, ["encoder", "unet"])
        assert not models.expects(1, ["encoder", "nobody's"])
        assert not models.expects(1, [])
        assert not models.expects(2, ["encoder"])
        gates.open("encoder")
        assert loading.components(1) == ["encoder"]
        assert not models.expects(1, ["encoder"])
        assert models.bind(1, "noop", ["encoder"]).model == 1
        assert models.bind(1, "noop", []).model == 1
        with pytest.raises(NotRunnable, match="without all the components"):
            models.bind(1, "noop", ["unet"])
        assert models.is_loading(1)
        assert list(models.weights()) == [(1, WEIGHTS_BYTES)]
        assert models.change_of(1) is None


def test_a_model_without_components_is_whole_at_once(loading: LoadingModels, tmp_path: Path) -> None:
    with gated(tmp_path, {}) as gates:
        assert loading.load(msgspec.convert(gates.load_meta(), Load)).weights_bytes == 0


def test_a_circle_is_refused_with_its_name(loading: LoadingModels, tmp_path: Path) -> None:
    with gated(tmp_path, {"unet": ["vae"], "vae": ["unet"]}) as gates:
        with pytest.raises(LoadFailed, match=r"circle: (unet -> vae -> unet|vae -> unet -> vae)\."):
            begin(loading, gates)
        assert 1 not in loading.models


def test_a_dependence_on_nothing_is_refused_by_name(loading: LoadingModels, tmp_path: Path) -> None:
    with gated(tmp_path, {"unet": ["vea"]}) as gates, pytest.raises(LoadFailed, match="'unet' depends on 'vea'"):
        begin(loading, gates)


@pytest.mark.parametrize(("words", "kind"), [("broken", LoadFailed), ("huge", OutOfMemory)])
def test_after_a_failure_nothing_more_is_begun_and_the_model_is_gone_when_the_last_opening_has_ended(
    loading: LoadingModels, engine: GatedEngine, tmp_path: Path, words: str, kind: type[Exception]
) -> None:
    for folder in ("failing", "probe"):
        (tmp_path / folder).mkdir()
    with (
        gated(tmp_path / "failing", {"encoder": [], "unet": [], "decoder": ["unet"]}) as gates,
        gated(tmp_path / "probe", {"probe": []}) as probe,
    ):
        begin(loading, gates)
        news = loading.news()
        gates.open("encoder", words)
        # Both threads have been busy with the first model: one of them opens this when the failure has been noted.
        begin(loading, probe, model=2)
        probe.open("probe")
        gates.open("unet")
        told = next(told for told in news if told_of_model_1(told))
        if isinstance(told, ComponentLoaded):
            # The opening that was under way ends well, and is the last.
            told = next(told for told in news if told_of_model_1(told))
        assert isinstance(told, LoadEnded)
        assert isinstance(told.result, kind)
        assert engine.models[0].is_closed
        begun = engine.models[0].begun
        assert {begun.get(), begun.get()} == {"encoder", "unet"}
        assert begun.empty()
        assert 1 not in loading.models
        assert 1 not in loading.models.policies
        with pytest.raises(NotRunnable, match="not loaded"):
            loading.models.bind(1, "noop", [])


def test_a_model_that_is_being_loaded_is_not_loaded_once_more(loading: LoadingModels, tmp_path: Path) -> None:
    with gated(tmp_path, {"encoder": []}) as gates:
        begin(loading, gates)
        with pytest.raises(LoadFailed, match="being loaded already"):
            begin(loading, gates)
        gates.open("encoder")
        assert loading.components(1) == ["encoder"]
        next(loading.news())
        with pytest.raises(LoadFailed, match="is loaded already"):
            begin(loading, gates)


def test_files_that_change_while_components_open_refuse_what_opens_afterwards(
    loading: LoadingModels, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"a content")
    folder = tmp_path / "gates"
    folder.mkdir()
    with gated(folder, {"encoder": [], "unet": []}) as gates:
        loading.models.begin_load(msgspec.convert({**gates.load_meta(), "files": [verified(weights)]}, Load), 5)
        gates.open("encoder")
        assert loading.components(1) == ["encoder"]
        weights.touch()
        gates.open("unet")
        ended = next(loading.news())
        assert isinstance(ended, LoadEnded)
        assert isinstance(ended.result, StaleModel)
        assert 1 not in loading.models


def test_what_cannot_be_mapped_is_opened_within_the_bound_and_more_than_it_alone(
    engine: GatedEngine, tmp_path: Path
) -> None:
    loading = LoadingModels(engine, limits=LoadLimits(threads=4, buffer_bytes=100))
    with gated(tmp_path, {"a": [], "b": []}, {"a": 150, "b": 10}) as gates:
        begin(loading, gates)
        begun = engine.models[0].begun
        first = begun.get(timeout=WAIT_S_MAX)
        assert begun.empty()
        gates.open(first)
        second = begun.get(timeout=WAIT_S_MAX)
        gates.open(second)
        assert loading.components(2) == [first, second]


def test_a_budget_lets_in_what_fits_and_nothing_costs_nothing() -> None:
    budget = ByteBudget(100)
    entered: SimpleQueue[int] = SimpleQueue()
    leave = Event()

    def take(size_bytes: int) -> None:
        with budget.taken(size_bytes):
            entered.put(size_bytes)
            leave.wait(WAIT_S_MAX)

    with budget.taken(60):
        threads = [Thread(target=take, args=[size]) for size in (40, 0, 41)]
        for thread in threads:
            thread.start()
        assert {entered.get(timeout=WAIT_S_MAX), entered.get(timeout=WAIT_S_MAX)} == {40, 0}
        assert entered.empty()
    # Two of 40 and 41 fit into what is free now.
    assert entered.get(timeout=WAIT_S_MAX) == 41
    leave.set()
    for thread in threads:
        thread.join()


def test_growth_of_memory_is_put_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    private_bytes = iter([100, 130, 130, 90, 95])
    monkeypatch.setattr(memory, "measure", lambda: MemoryUse(next(private_bytes), 0))
    growth = PrivateGrowth()
    growth.begin()
    assert [growth.take() for _ in range(4)] == [30, 0, 0, 5]


def begin(loading: LoadingModels, gates: Gates, model: int = 1) -> None:
    """A LOAD of the gated model, as request 5 or, of others than model 1, the next ones."""
    loading.models.begin_load(msgspec.convert(gates.load_meta(model), Load), request_id=4 + model)


def told_of_model_1(told: ComponentLoaded | LoadEnded) -> bool:
    return told.model == 1 if isinstance(told, ComponentLoaded) else told.request_id == 5
