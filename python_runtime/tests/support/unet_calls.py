"""What the UNet is asked, and what happens just before it computes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.support.ember import Studio


@contextmanager
def watched_unet(studio: Studio, before_each: Callable[[], None] = lambda: None) -> Iterator[list[Mapping[str, Any]]]:
    """The inputs of every call made inside."""
    unet = studio.model.components["unet"]
    run = unet.run
    calls: list[Mapping[str, Any]] = []

    def watched(inputs: Mapping[str, Any], outputs: Sequence[str] | None = None) -> list[Any]:
        calls.append(inputs)
        before_each()
        return run(inputs, outputs)

    with patch.object(unet, "run", watched):
        yield calls
