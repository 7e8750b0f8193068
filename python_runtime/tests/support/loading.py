"""Models in this process, and waiting for what their loads bring."""

from collections.abc import Iterator, Mapping
from threading import Event

from hearth_worker.engines.engine import Engine
from hearth_worker.model_load import LoadLimits
from hearth_worker.models import LoadEnded, Models
from hearth_worker.programs.registry import ProgramFactory
from hearth_worker.protocol.reports import ComponentLoaded, Loaded
from hearth_worker.protocol.requests import Load
from tests.support.listener import WAIT_S_MAX


class LoadingModels:
    """Does for `models` what the step loop does."""

    def __init__(
        self, engine: Engine, programs: Mapping[str, ProgramFactory] | None = None, limits: LoadLimits | None = None
    ) -> None:
        self._woken = Event()
        self.models = Models(engine, programs or {}, self._woken.set, limits)

    def load(self, request: Load) -> Loaded:
        """To its end. Raises what it ends with."""
        self.models.begin_load(request, request_id=1)
        for news in self.news():
            if isinstance(news, LoadEnded):
                if isinstance(news.result, Exception):
                    raise news.result
                return news.result
        raise AssertionError("unreachable: a load ends")

    def components(self, count: int) -> list[str]:
        """The next components that can be used, in the order in which they are told."""
        news = self.news()
        return [told.component for told in (next(news) for _ in range(count)) if isinstance(told, ComponentLoaded)]

    def news(self) -> Iterator[ComponentLoaded | LoadEnded]:
        """What loads bring, for ever; fails after 30 s without."""
        while True:
            yield from self.models.load_news()
            assert self._woken.wait(WAIT_S_MAX), "nothing comes of the loads"
            self._woken.clear()
