"""The thread that reads the stream: hands requests on, answers PING itself, and ends the process with the stream."""

import os
import traceback
from threading import Thread
from typing import NoReturn

from hearth_worker.activity import Activity
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection, ServerGone
from hearth_worker.inbox import Inbox, Received
from hearth_worker.interrupts import Ask, Interrupts
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.protocol.codec import decode_request
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import Frame
from hearth_worker.protocol.protocol_error import ProtocolError
from hearth_worker.protocol.reports import Error, Pong, SlabsDropped
from hearth_worker.protocol.requests import (
    Admit,
    Cancel,
    Pause,
    Ping,
    Request,
    Restore,
    Revoke,
    SlabGrant,
    SlabReturn,
)

READ_BYTES = 256 * 1024
EXIT_SERVER_GONE = 0
EXIT_PROTOCOL_ERROR = 1
EXIT_BUG = 70


class Reader(Thread):
    """Runs until the process ends. It never waits for the step loop, whatever that is doing."""

    def __init__(
        self, connection: Connection, inbox: Inbox, activity: Activity, large: LargeTensors, interrupts: Interrupts
    ) -> None:
        super().__init__(name="reader", daemon=True)
        self._large = large
        self._interrupts = interrupts
        self._connection = connection
        self._inbox = inbox
        self._activity = activity

    def run(self) -> None:
        """Ends the process, not just the thread: at once, because the loop may be in native code for long."""
        try:
            self._read()
        except ServerGone:
            os._exit(EXIT_SERVER_GONE)
        except ProtocolError as error:
            self._refuse(error)
        except BaseException:
            # Deaf, the process would live on unseen; its own output is read to its end.
            traceback.print_exc()
            os._exit(EXIT_BUG)

    def _read(self) -> None:
        decoder = FrameDecoder()
        buffer = memoryview(bytearray(READ_BYTES))
        while count := self._connection.receive_into(buffer):
            frames, error = decoder.feed(buffer[:count])
            at = now_ms()
            for frame in frames:
                self._take(frame, at)
            if error:
                raise error
            if self._activity.is_in_long_step:
                self._connection.acknowledge()
        error = decoder.end()
        if error:
            raise error
        raise ServerGone

    def _take(self, frame: Frame, at: float) -> None:
        request = decode_request(frame)
        self._connection.taken = frame.request_id
        if isinstance(request, Ping):
            activity = self._activity
            pong = Pong(activity.progress, activity.is_busy, activity.declared_step_ms)
            self._connection.tell(pong, frame.request_id)
            return
        # At once, so that the step that is running finds room for what it makes; the loop only acknowledges them.
        if isinstance(request, SlabGrant | SlabReturn) and (unmapped := self._large.take(request)):
            self._connection.tell(SlabsDropped(unmapped))
        number = self._inbox.put(Received(frame.request_id, request, at))
        # Afterwards, so that the loop finds it when the step has ended early.
        if ask := _urgent(request, number):
            self._interrupts.ask(ask)

    def _refuse(self, error: ProtocolError) -> NoReturn:
        self._connection.give_up(Error("protocol", str(error), retryable=False))
        os._exit(EXIT_PROTOCOL_ERROR)


def _urgent(request: Request, number: int) -> Ask | None:
    """What should not wait for the end of a long step, if it is such a request."""
    if isinstance(request, Pause | Cancel):
        return Ask(number, frozenset(request.tasks))
    if isinstance(request, Revoke):
        return Ask(number)
    if isinstance(request, Admit | Restore) and any(task.task_class == "interactive" for task in request.tasks):
        return Ask(number)
    return None
