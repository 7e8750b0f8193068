"""Whoever logs is never harmed by it, whatever is logged."""

import logging
import socket
from collections.abc import Iterator

import pytest

from hearth_worker.connection import Connection
from hearth_worker.log_frames import LogFrames
from hearth_worker.protocol.reports import Log
from tests.support.listener import Listener

Logged = tuple[logging.Logger, Listener]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """A logger whose records become frames, and who hears them."""
    ours, theirs = socket.socketpair()
    logger = logging.Logger("third")
    logger.addHandler(LogFrames(Connection(theirs)))
    with ours, theirs:
        yield logger, Listener(ours)


def test_a_message_that_is_not_unicode_is_told_all_the_same(logged: Logged) -> None:
    logger, listener = logged
    logger.info("name \udcff")
    assert listener.wait_for(Log) == Log("info", "name \\udcff", "third")


def test_a_record_that_cannot_be_formatted_is_left_out(logged: Logged, capsys: pytest.CaptureFixture[str]) -> None:
    logger, listener = logged
    logger.info("%d things", "x")
    logger.info("the next")
    assert listener.wait_for(Log).message == "the next"
    assert "%d things" in capsys.readouterr().err


def test_a_stream_that_has_ended_stops_nobody(logged: Logged) -> None:
    logger, listener = logged
    listener.stream.close()
    logger.info("to nobody")
