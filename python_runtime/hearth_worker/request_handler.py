"""Carries out what the server asks for, type by type (PROTOCOL.md section 4)."""

from collections.abc import Callable
from typing import Any

from hearth_worker.inbox import Received
from hearth_worker.model_requests import ModelRequests
from hearth_worker.protocol.requests import Request
from hearth_worker.task_requests import TaskRequests
from hearth_worker.worker_requests import WorkerRequests


class RequestHandler:
    """Called between steps, in the order in which requests came. Whatever has an answer of its own is answered at once;
    the rest shows in reports."""

    def __init__(self, of_worker: WorkerRequests, of_models: ModelRequests, of_tasks: TaskRequests) -> None:
        self._of_worker = of_worker
        self._methods: dict[type[Request], Callable[[Any, Received], None]] = {
            **of_worker.methods,
            **of_models.methods,
            **of_tasks.methods,
        }

    def handle(self, received: Received) -> None:
        """All types but PING, which the reader answers."""
        self._methods[type(received.request)](received.request, received)

    @property
    def is_shut_down(self) -> bool:
        """The worker was asked to end."""
        return self._of_worker.is_shut_down
