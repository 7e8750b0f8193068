"""Runs of components within a step, which another thread may end."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hearth_worker.failures import Interrupted

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxComponent
    from hearth_worker.engines.onnx_values import Array


class InterruptibleRuns:
    """Of one program. Programs run their components by this, and hand on `interrupt` and `clear`."""

    def __init__(self) -> None:
        self._running: OnnxComponent | None = None
        self._is_asked = False

    def run(
        self, component: "OnnxComponent", inputs: "Mapping[str, Array]", outputs: Sequence[str] | None = None
    ) -> list[Any]:
        """As `OnnxComponent.run`. Raises Interrupted too."""
        self._running = component
        try:
            # After the line above: whoever asks between the two still finds what to end, or is seen here.
            self._raise_if_asked()
            return component.run(inputs, outputs)
        except Exception:
            # What a component says of its end from outside is beside the point.
            self._raise_if_asked()
            raise
        finally:
            self._running = None

    def interrupt(self) -> None:
        """For other threads. The run ends within milliseconds; one that is just about to begin may be missed.
        Until `clear` no other begins."""
        self._is_asked = True
        running = self._running
        if running is not None:
            running.terminate()

    def clear(self) -> None:
        """The step is over, and what was asked during it."""
        self._is_asked = False

    def _raise_if_asked(self) -> None:
        if self._is_asked:
            raise Interrupted("The step was interrupted.")
