"""What a worker says: types 64 to 80 of PROTOCOL.md section 4."""

from typing import Any, ClassVar, Literal

from msgspec import Struct

from hearth_worker.protocol.entries import AnyEntry
from hearth_worker.protocol.numbers import Count, Millis, PositiveCount
from hearth_worker.protocol.requests import SlabReference

PROTOCOL_VERSION = 1

LogLevel = Literal["debug", "info", "warning", "error"]


class Report(Struct, rename="camel", frozen=True, omit_defaults=True):
    """Base of all that a worker may say."""

    type: ClassVar[int]


class Hello(Report, frozen=True, kw_only=True):
    type: ClassVar[int] = 64
    protocol: PositiveCount
    epoch: PositiveCount
    engine: str
    pid: PositiveCount
    programs: list[str]
    capabilities: list[str]
    versions: dict[str, str]


class TensorPort(Struct, frozen=True):
    """An input or output of a model; a dimension is a length, or a name where it varies."""

    name: str
    dtype: str
    shape: list[int | str | None]


class Loaded(Report, frozen=True, kw_only=True):
    """`weights_bytes`: mapped or allocated for weights; `private_bytes`: growth of private anonymous memory."""

    type: ClassVar[int] = 65
    model: Count
    load_ms: Millis
    weights_bytes: Count
    private_bytes: Count
    inputs: list[TensorPort] | None = None
    outputs: list[TensorPort] | None = None


class Unloaded(Report, frozen=True):
    """`private_bytes` is the private anonymous memory of the process afterwards."""

    type: ClassVar[int] = 66
    model: Count
    private_bytes: Count


class Steps(Report, frozen=True):
    type: ClassVar[int] = 67
    entries: list[AnyEntry]
    progress: Count


class Partial(Report, frozen=True):
    """Items in order; `left` is the credit left after them."""

    type: ClassVar[int] = 68
    task: Count
    values: list[Any]
    left: Count


class Pong(Report, frozen=True):
    """`progress` rises by one per finished step of any kind; `step_ms` is what its program says of the running step."""

    type: ClassVar[int] = 69
    progress: Count
    busy: bool
    step_ms: Count | None = None


class ModelStats(Struct, rename="camel", frozen=True):
    """A loaded model and how many tasks it has in this worker."""

    model: Count
    weights_bytes: Count
    tasks: Count


class CollectorStats(Struct, rename="camel", frozen=True):
    """Runs of Python's garbage collector since the start, and the longest."""

    count: Count
    pause_ms_max: Millis


class HandOverStats(Struct, rename="camel", frozen=True):
    """Arrays that tasks have taken from held outputs into their steps since the start, and what of them was copied;
    and what was put side by side for runs that several tasks share."""

    tensors: Count
    bytes: Count
    copied_bytes: Count
    gathered_bytes: Count


class StatsReport(Report, frozen=True, kw_only=True):
    type: ClassVar[int] = 70
    epoch: PositiveCount
    sequence: Count
    private_bytes: Count
    resident_bytes: Count
    progress: Count
    cpu_ms: Millis
    models: list[ModelStats]
    gc: CollectorStats
    hand_over: HandOverStats | None = None


class Log(Report, frozen=True):
    type: ClassVar[int] = 71
    level: LogLevel
    message: str
    logger: str


class Error(Report, frozen=True):
    """Answers a request that could not be carried out; requestId 0: the stream cannot go on."""

    type: ClassVar[int] = 72
    code: str
    message: str
    retryable: bool


class Ack(Report, frozen=True):
    type: ClassVar[int] = 73


class Revoked(Report, frozen=True):
    """No step runs; `step_ms` is how long the one took that ran when it was asked, 0 if none did."""

    type: ClassVar[int] = 74
    step_ms: Millis


class Checkpointed(Report, frozen=True):
    """A state as its program has written it down."""

    type: ClassVar[int] = 75
    task: Count
    step: Count
    saved: bytes


class SlabRequest(Report, frozen=True):
    """So many tensors of at most so many bytes found no room."""

    type: ClassVar[int] = 76
    size_bytes: Count
    count: Count


class Chunk(Report, frozen=True):
    """The payload is the next piece of a transfer."""

    type: ClassVar[int] = 77
    transfer: Count
    offset: Count
    total_bytes: Count


class SlabsDropped(Report, frozen=True):
    """The worker has let go of them."""

    type: ClassVar[int] = 78
    slabs: list[SlabReference]


class ComponentLoaded(Report, frozen=True):
    """One part of a model that is being loaded is there."""

    type: ClassVar[int] = 79
    model: Count
    component: str
    load_ms: Millis
    weights_bytes: Count


class StepTime(Struct, rename="camel", frozen=True, omit_defaults=True):
    """`steps` steps of so many states of a node took `ms` each, on average; `peak_bytes` is the most private memory
    that one took beyond what there was before the node's first step."""

    model: Count
    node: str
    shape: str
    states: PositiveCount
    steps: PositiveCount
    ms: Millis
    peak_bytes: Count | None = None


class TooLarge(Struct, rename="camel", frozen=True):
    """A step of so many states did not fit into memory."""

    model: Count
    node: str
    shape: str
    states: PositiveCount


class StepTimes(Report, frozen=True):
    """How long steps took since the last report, and which were too large."""

    type: ClassVar[int] = 80
    times: list[StepTime]
    too_large: list[TooLarge] = []
