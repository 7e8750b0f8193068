"""What the server asks of the worker itself: its figures, its slabs, its lease, its end (PROTOCOL.md section 4)."""

from collections.abc import Callable
from typing import Any

from hearth_worker.connection import Connection
from hearth_worker.inbox import Received
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.lease import Lease
from hearth_worker.pausing import Pausing
from hearth_worker.protocol import requests
from hearth_worker.protocol.reports import Revoked, SlabsDropped
from hearth_worker.protocol.requests import (
    Request,
    Revoke,
    Shutdown,
    SlabGrant,
    SlabRecall,
    SlabReturn,
    Stats,
)
from hearth_worker.statistics import Statistics


class WorkerRequests:
    """One method for each."""

    def __init__(
        self, connection: Connection, statistics: Statistics, large: LargeTensors, lease: Lease, pausing: Pausing
    ) -> None:
        self._connection = connection
        self._statistics = statistics
        self._large = large
        self._lease = lease
        self._pausing = pausing
        self.is_shut_down = False
        self.methods: dict[type[Request], Callable[[Any, Received], None]] = {
            Stats: self._stats,
            Shutdown: self._shut_down,
            requests.Lease: self._grant_lease,
            Revoke: self._revoke_lease,
            SlabGrant: self._taken_by_the_reader,
            SlabReturn: self._taken_by_the_reader,
            SlabRecall: self._recall,
        }

    def _stats(self, _request: Stats, received: Received) -> None:
        self._connection.tell(self._statistics.report(), received.request_id)

    def _shut_down(self, _request: Shutdown, _received: Received) -> None:
        self.is_shut_down = True

    def _grant_lease(self, _request: requests.Lease, _received: Received) -> None:
        self._lease.is_held = True

    def _revoke_lease(self, _request: Revoke, received: Received) -> None:
        self._lease.is_held = False
        self._pausing.suspend_batch()
        self._connection.tell(Revoked(self._lease.step_ms_at(received.at)), received.request_id)

    def _recall(self, request: SlabRecall, received: Received) -> None:
        self._connection.tell(SlabsDropped(self._large.drop(request.slabs)), received.request_id)

    def _taken_by_the_reader(self, _request: Request, _received: Received) -> None:
        """Nothing is left to do but to acknowledge it."""
