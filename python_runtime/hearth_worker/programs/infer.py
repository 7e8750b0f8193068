"""Any graph: named tensors in, named tensors out. Requests whose rows do not meet in the graph share runs of it."""

import logging
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, ValidationError, convert

from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import InvalidRequest, LoadFailed
from hearth_worker.programs.infer_tensors import InputTensor, OutputTensor, OutputTexts
from hearth_worker.programs.outcomes import Advanced, Done, Failed
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.numbers import PositiveCount

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array

logger = logging.getLogger(__name__)


class InferLimits(Struct, rename="camel", frozen=True):
    """What the manifest may limit: rows of all requests together that share one run. One request may have more."""

    batch_limit: PositiveCount = 1


class InferRequest(Struct, frozen=True):
    """`outputs` are given in this order, and no others; None: all, in the graph's."""

    tensors: list[InputTensor]
    outputs: list[str] | None = None


class InferOutput(Struct, frozen=True):
    """In the order asked for."""

    tensors: list[OutputTensor | OutputTexts]


class InferState(Struct, frozen=True):
    """`rows` along the first axis of every input, and what they can be joined by; None: this one runs alone."""

    inputs: "dict[str, Array]"
    wanted: tuple[str, ...]
    rows: int | None
    key: Hashable


class Infer(Program[InferRequest, InferState, InferOutput]):
    """For one graph. Results are equal within a tolerance, alone or in company: more rows change the order of sums."""

    promise: ClassVar[Promise] = "tolerance"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = InferRequest

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Tries whether rows may be joined, which runs the graph a few times. Raises LoadFailed."""
        # Here, not above: workers of other engines read this file too, and need not have numpy.
        from hearth_worker.engines.onnx_errors import RefusedInputs
        from hearth_worker.programs import infer_inputs, infer_outputs, join_rows, probe_rows

        if len(components) != 1:
            raise LoadFailed(f"infer runs one component; model {model.manifest.name!r} names {len(components)}.")
        self._refused_inputs = RefusedInputs
        self._read_inputs = infer_inputs.read_inputs
        self._as_output = infer_outputs.as_output
        self._rows = join_rows
        self._component = model.components[components[0]]
        self._rows_max = _limits(model.manifest).batch_limit
        reason = probe_rows.why_rows_stay_apart(self._component) if self._rows_max > 1 else "its batchLimit is 1"
        self._joins = reason is None
        if reason is None:
            logger.info("Requests to %s share runs of up to %d rows.", model.manifest.name, self._rows_max)
        else:
            logger.info("Requests to %s run one by one: %s.", model.manifest.name, reason)

    def start(self, request: InferRequest) -> InferState:
        inputs = self._read_inputs(self._component, request.tensors)
        wanted = self._wanted(request.outputs)
        rows = self._rows.rows_of(inputs) if self._joins else None
        key = (wanted, self._rows.kind_of(inputs)) if rows else None
        return InferState(inputs, wanted, rows, key)

    def _wanted(self, outputs: list[str] | None) -> tuple[str, ...]:
        known = [port.name for port in self._component.outputs]
        if outputs is None:
            return tuple(known)
        for name in outputs:
            if name not in known:
                raise InvalidRequest(f"There is no output {name!r}; the model has {', '.join(known)}.")
        if len(set(outputs)) < len(outputs) or not outputs:
            raise InvalidRequest("Ask for at least one output, and for each only once.")
        return tuple(outputs)

    def batch_key(self, state: InferState) -> Hashable:
        return id(state) if state.rows is None else state.key

    def step(self, states: Sequence[InferState]) -> list[Advanced[InferState] | Done[InferOutput] | Failed]:
        """Those that do not fit into this run wait for the next step."""
        count = self._rows.count_that_fit([state.rows or 0 for state in states], self._rows_max)
        outcomes = self._together(states[:count])
        return [*outcomes, *(Advanced(state) for state in states[count:])]

    def _together(self, states: Sequence[InferState]) -> list[Done[InferOutput] | Failed]:
        if len(states) == 1:
            return [self._alone(states[0])]
        wanted = states[0].wanted
        try:
            joint = self._component.run(self._rows.join([state.inputs for state in states]), wanted)
        except self._refused_inputs:
            # It is the fault of one of them, and the others' run is repeated without it.
            return [self._alone(state) for state in states]
        parts = self._rows.split(joint, [state.rows or 0 for state in states])
        return [self._outcome(wanted, part) for part in parts]

    def _alone(self, state: InferState) -> Done[InferOutput] | Failed:
        try:
            outputs = self._component.run(state.inputs, state.wanted)
        except self._refused_inputs as error:
            return Failed("invalid_request", f"The model cannot compute these inputs: {error}")
        return self._outcome(state.wanted, outputs)

    def _outcome(self, wanted: Sequence[str], outputs: Sequence[Any]) -> Done[InferOutput] | Failed:
        ports = {port.name: port for port in self._component.outputs}
        try:
            named = zip(wanted, outputs, strict=True)
            tensors = [each for name, value in named for each in self._as_output(ports[name], value)]
        except LookupError as error:
            return Failed("engine_error", str(error.args[0]))
        return Done(InferOutput(tensors))


def _limits(manifest: Manifest) -> InferLimits:
    try:
        return convert(manifest.limits, InferLimits)
    except ValidationError as error:
        raise LoadFailed(f"The limits of model {manifest.name!r} cannot be read: {error}.") from error
