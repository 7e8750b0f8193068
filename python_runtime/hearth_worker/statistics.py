"""The figures of STATS_REPORT."""

import time

from hearth_worker import memory
from hearth_worker.activity import Activity
from hearth_worker.memory import CollectorWatch
from hearth_worker.models import Models
from hearth_worker.programs import hand_over
from hearth_worker.protocol.reports import CollectorStats, HandOverStats, ModelStats, StatsReport
from hearth_worker.tasks import Tasks


class Statistics:
    """Each report has a number of its own, so that an older one never overwrites a newer one."""

    def __init__(self, epoch: int, models: Models, tasks: Tasks, activity: Activity) -> None:
        self._epoch = epoch
        self._models = models
        self._tasks = tasks
        self._activity = activity
        self._sequence = 0
        self._collector = CollectorWatch()

    def report(self) -> StatsReport:
        """As of now."""
        self._sequence += 1
        use = memory.measure()
        handed = hand_over.figures
        return StatsReport(
            epoch=self._epoch,
            sequence=self._sequence,
            private_bytes=use.private_bytes,
            resident_bytes=use.resident_bytes,
            progress=self._activity.progress,
            cpu_ms=time.process_time() * 1000,
            models=[
                ModelStats(model, weights_bytes, self._tasks.count_of(model))
                for model, weights_bytes in self._models.weights()
            ],
            gc=CollectorStats(self._collector.count, self._collector.pause_ms_max),
            hand_over=HandOverStats(handed.tensors, handed.bytes, handed.copied_bytes, handed.gathered_bytes),
        )
