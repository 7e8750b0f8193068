"""What the server says: types 1 to 20 of PROTOCOL.md section 4."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct, field

from hearth_worker.protocol.numbers import COUNT_MAX, Count, Millis, PositiveCount, Share

TaskClass = Literal["interactive", "batch"]
Stage = Literal["inference", "postprocessing"]
# Lower goes first inside a class.
Order = Annotated[int, Meta(ge=-COUNT_MAX, le=COUNT_MAX)]


class Request(Struct, rename="camel", frozen=True):
    """Base of all that a server may ask."""

    type: ClassVar[int]


class Task(Struct, rename="camel", frozen=True, kw_only=True):
    """One task to run: a program, the components it runs on, and its own request."""

    task: Count
    model: Count
    program: str
    components: list[str]
    request: dict[str, Any]
    task_class: TaskClass = field(name="class")
    order: Order
    deadline_ms: Millis | None = None
    credit: Count
    attempt: Count
    hold: bool | None = None
    inputs: dict[str, Count] | None = None
    stage: Stage | None = None


class SavedTask(Task, frozen=True, kw_only=True):
    """A task that goes on from a saved state."""

    saved: bytes


class VerifiedFile(Struct, rename="camel", frozen=True):
    """A file as it was when the server verified its content. Numbers of 64 bits are texts: decimal, without a sign."""

    path: str
    device: str
    inode: str
    size_bytes: Count
    modified_ns: str
    changed_ns: str


class Load(Request, frozen=True, omit_defaults=True):
    type: ClassVar[int] = 1
    model: Count
    manifest: dict[str, Any]
    directory: str
    components: list[str]
    files: list[VerifiedFile] = []


class Unload(Request, frozen=True):
    type: ClassVar[int] = 2
    model: Count


class Admit(Request, frozen=True):
    type: ClassVar[int] = 3
    tasks: list[Task]


class Withdraw(Request, frozen=True):
    type: ClassVar[int] = 4
    tasks: list[Count]


class Cancel(Request, frozen=True):
    type: ClassVar[int] = 5
    tasks: list[Count]


class NodeLimit(Struct, rename="camel", frozen=True):
    """What the server has learnt of steps of a node, and of a shape where it names one."""

    node: str
    limit: PositiveCount
    shape: str | None = None
    batch_class_limit: PositiveCount | None = None
    hold_ms: Millis | None = None
    base_ms: Millis | None = None
    state_ms: Millis | None = None


class Policy(Request, frozen=True):
    """How to compose steps of a model; valid from the next step. `inference_share` is the whole worker's."""

    type: ClassVar[int] = 6
    model: Count
    batch_limit: PositiveCount
    hold_ms: Millis
    interactive_first: bool
    interrupt_after_ms: Millis | None = None
    checkpoint_steps: Count | None = None
    inference_share: Share | None = None
    limits: list[NodeLimit] | None = None


class TaskCredit(Struct, frozen=True):
    """`items` more partial items that `task` may emit."""

    task: Count
    items: Count


class Credit(Request, frozen=True):
    type: ClassVar[int] = 7
    tasks: list[TaskCredit]


class Ping(Request, frozen=True):
    type: ClassVar[int] = 8


class Stats(Request, frozen=True):
    type: ClassVar[int] = 9


class Shutdown(Request, frozen=True):
    type: ClassVar[int] = 10


class Lease(Request, frozen=True):
    type: ClassVar[int] = 11


class Revoke(Request, frozen=True):
    type: ClassVar[int] = 12


class Pause(Request, frozen=True):
    type: ClassVar[int] = 13
    tasks: list[Count]


class Resume(Request, frozen=True):
    type: ClassVar[int] = 14
    tasks: list[Count]


class Checkpoint(Request, frozen=True):
    type: ClassVar[int] = 15
    tasks: list[Count]


class Restore(Request, frozen=True):
    type: ClassVar[int] = 16
    tasks: list[SavedTask]


class Slab(Struct, rename="camel", frozen=True):
    """A piece of shared memory granted to the worker."""

    slab_id: Count
    generation: Count
    path: str
    size_bytes: Count


class SlabReference(Struct, rename="camel", frozen=True):
    """A slab by identity."""

    slab_id: Count
    generation: Count


class SlabRefusal(Struct, rename="camel", frozen=True):
    """There are no slabs of so many bytes or more for now; ask no sooner than after `pause_ms`."""

    size_bytes: Count
    pause_ms: Millis


class SlabGrant(Request, frozen=True, omit_defaults=True):
    type: ClassVar[int] = 17
    slabs: list[Slab]
    refused: SlabRefusal | None = None


class SlabReturn(Request, frozen=True):
    """Generations are the new ones."""

    type: ClassVar[int] = 18
    slabs: list[SlabReference]


class SlabRecall(Request, frozen=True):
    """Others need them."""

    type: ClassVar[int] = 19
    slabs: list[SlabReference]


class Release(Request, frozen=True):
    """Nobody will take the held outputs of these tasks any more."""

    type: ClassVar[int] = 20
    tasks: list[Count]
