"""What reaches the step loop from outside: requests, in order, and wake-up calls. Waiting on it costs nothing."""

from queue import Empty, SimpleQueue
from typing import Literal

from msgspec import Struct

from hearth_worker.protocol.requests import Request


class Received(Struct, frozen=True):
    """A request and when it came, in milliseconds of the worker's clock."""

    request_id: int
    request: Request
    at: float


Wakeup = Literal["engine", "stop"]


class Inbox:
    """Any thread may put, signal handlers and engine callbacks included; the loop takes."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Received | Wakeup] = SimpleQueue()
        self._is_woken = False
        self._requests_put = 0
        # How many requests the loop has taken.
        self.requests_taken = 0

    def put(self, received: Received) -> int:
        """Adds a request; only the reader does. Returns how many there have been by now, this one included."""
        self._requests_put += 1
        number = self._requests_put
        self._queue.put(received)
        return number

    def stop(self) -> None:
        """Asks the loop to end cleanly."""
        self._queue.put("stop")

    def wake(self) -> None:
        """Tells the loop that an engine has something new; many calls are one until the loop has looked."""
        if not self._is_woken:
            self._is_woken = True
            self._queue.put("engine")

    def is_empty(self) -> bool:
        """Whether `take` would have to wait."""
        return self._queue.empty()

    def take(self, wait_ms_max: float | None) -> Received | Wakeup | None:
        """The next item, or None after that time; None waits for ever."""
        try:
            item = self._queue.get(timeout=None if wait_ms_max is None else max(wait_ms_max, 0) / 1000)
        except Empty:
            return None
        if item == "engine":
            # Before the loop looks: what comes from now on is a new call.
            self._is_woken = False
        elif item != "stop":
            self.requests_taken += 1
        return item
