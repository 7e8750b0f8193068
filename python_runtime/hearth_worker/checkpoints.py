"""States that are written down, so that a task need not begin again elsewhere (PROTOCOL.md section 13)."""

import logging
from collections.abc import Mapping

from hearth_worker.protocol.requests import Policy
from hearth_worker.report import Report
from hearth_worker.tasks import TaskRecord

SAVED_BYTES_MAX = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


class Checkpoints:
    """Of all tasks."""

    def __init__(self, policies: Mapping[int, Policy], report: Report) -> None:
        self._policies = policies
        self._report = report

    def take_if_due(self, record: TaskRecord) -> None:
        """After a step of the task."""
        policy = self._policies.get(record.model)
        every = policy.checkpoint_steps if policy else None
        if every and record.steps_run % every == 0:
            self.take(record)

    def take(self, record: TaskRecord) -> None:
        """Of the state as it is now, if it can be saved."""
        # Items that wait for credit are in no state: whoever went on from it would miss them.
        items_wait = record.items is not None and record.items.is_held
        # As it was admitted, new or restored, the server has it.
        is_new = record.steps_run == 0
        if is_new or record.is_done or record.is_too_large or items_wait:
            return
        saved = record.bound.save(record.state)
        if saved is None:
            return
        if len(saved) > SAVED_BYTES_MAX:
            record.is_too_large = True
            logger.warning(
                "Task %d is not saved: its state takes %d bytes; %d are possible.",
                record.task,
                len(saved),
                SAVED_BYTES_MAX,
            )
            return
        self._report.checkpointed(record.task, record.steps_done, saved)
