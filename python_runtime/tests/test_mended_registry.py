"""An entry point that cannot be used is told of and left out; the other programs are there."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from hearth_worker.programs import registry
from hearth_worker.programs.noop import Noop


def make_noop(model: Any, components: Sequence[str]) -> Noop:
    """A factory that says nothing of its programs."""
    return Noop(model, components)


class PlainNoop:
    """Has what a program needs and derives from nothing."""

    promise = "bitwise"
    request_type = Noop.request_type


def test_a_program_that_says_too_little_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    install(monkeypatch, ("good", "hearth_worker.programs.noop:Noop"), ("bad", f"{__name__}:make_noop"))
    assert list(registry.find_programs("none")) == ["good"]
    assert "bad" in caplog.text
    assert "says nothing of its promise" in caplog.text


def test_a_program_without_an_engine_runs_on_any(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("plain", f"{__name__}:PlainNoop"))
    assert list(registry.find_programs("none")) == ["plain"]


def test_the_first_of_a_name_stays(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    install(monkeypatch, ("same", "hearth_worker.programs.noop:Noop"), ("same", f"{__name__}:PlainNoop"))
    assert registry.find_programs("none") == {"same": Noop}
    assert "same" in caplog.text


def install(monkeypatch: pytest.MonkeyPatch, *programs: tuple[str, str]) -> None:
    """Entry points of these names and values, as a distribution declares them, and no others."""
    found = [EntryPoint(name, value, registry.GROUP) for name, value in programs]

    def entry_points(group: str) -> list[EntryPoint]:
        return [each for each in found if each.group == group]

    monkeypatch.setattr(registry, "entry_points", entry_points)
