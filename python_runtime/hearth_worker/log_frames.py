"""Log records of this package become LOG frames."""

import logging
from contextlib import suppress

from hearth_worker.connection import Connection, ServerGone
from hearth_worker.protocol.reports import Log, LogLevel

MESSAGE_CHARACTERS_MAX = 16 * 1024


class LogFrames(logging.Handler):
    """Sends each record at once."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(logging.INFO)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        message = self.format(record)[:MESSAGE_CHARACTERS_MAX]
        # When nobody is left to tell, the reader thread ends the process.
        with suppress(ServerGone):
            self._connection.tell(Log(_level(record.levelno), message, record.name))


def log_to(connection: Connection) -> None:
    """From now on, for everything logged in this process."""
    root = logging.getLogger()
    root.addHandler(LogFrames(connection))
    root.setLevel(logging.INFO)


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
