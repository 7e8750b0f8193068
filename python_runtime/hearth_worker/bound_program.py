"""A program on a loaded model, as the step loop uses it: what it raises outside a step harms nobody else."""

import logging
from collections.abc import Hashable, Iterator, Sequence
from hashlib import blake2b
from math import ceil, isfinite

from hearth_worker.failures import sendable
from hearth_worker.programs.registry import AnyProgram
from hearth_worker.step_lengths import StepLengths

SHAPES_MAX = 256
SHAPE_CHARACTERS_MAX = 64

logger = logging.getLogger(__name__)


class BoundProgram:
    """The program, and what the loop remembers of it."""

    def __init__(self, number: int, model: int, program: AnyProgram, limit: int | None = None, node: str = "") -> None:
        """`node`: what the program is to the model. `limit`: so many states may share a step, as the manifest says of
        it; None: it does not say."""
        self.number = number
        self.model = model
        self.program = program
        self.limit = limit
        self.node = node
        self.seats = _seats(program)
        self.is_interruptible = bool(getattr(program, "interruptible", False))
        self._waits_outside = bool(getattr(program, "waits_outside", False))
        # Tasks that have a seat; those of a program without seats have one from their start to their end.
        self.seated = 0
        self._lengths = StepLengths()
        self._shapes: dict[Hashable, str] = {}
        self._is_unpredictable = False
        # How long the step that it was asked about last waits for something outside, in milliseconds; None: not at all.
        self.declared_step_ms: int | None = None

    def batch_key(self, state: object) -> Hashable:
        """What states of all programs are grouped by. Raises whatever the program raises; is hashable."""
        key = (self.number, self.program.batch_key(state))
        hash(key)
        return key

    def shape_of(self, batch_key: Hashable) -> str:
        """What makes steps comparable, of a key of `batch_key`: lengths and names in it, but no identities."""
        key = batch_key[1] if isinstance(batch_key, tuple) else None
        if not isinstance(key, tuple):
            return ""
        known = self._shapes.get(key)
        if known is None:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            known = self._shapes[key] = _shape_text(key)
        return known

    def is_ready(self, state: object) -> bool:
        """Whether a step has anything to do for it. Raises whatever the program raises."""
        return bool(self.program.ready(state))

    def expected_step_ms(self, states: Sequence[object]) -> float | None:
        """How long a step of these states will last; None when nobody knows."""
        if self._is_unpredictable:
            return None
        try:
            known = self.program.expected_step_ms(states)
            self.declared_step_ms = self._declared_ms(known)
            return self._lengths.expected_ms(len(states)) if known is None else float(known)
        except Exception:
            # Told once. From now on every step is announced, as one of unknown length is.
            logger.exception("The program %s cannot say how long a step lasts.", type(self.program).__name__)
            self._is_unpredictable = True
            self.declared_step_ms = None
            return None

    def learn(self, states: int, step_ms: float) -> None:
        """A step of so many states took so long."""
        self._lengths.learn(states, step_ms)

    def save(self, state: object) -> bytes | None:
        """The state written down; None where it cannot be."""
        try:
            saved = self.program.save(state)
            return None if saved is None else bytes(saved)
        except Exception:
            logger.exception("A state of %s was not saved.", type(self.program).__name__)
            return None

    def suspend(self, state: object) -> object | None:
        """Has the engine compute no further for a state between steps; None where it cannot be stopped."""
        try:
            return self.program.suspend(state)
        except Exception:
            logger.exception("A state of %s was not suspended.", type(self.program).__name__)
            return None

    def state_bytes(self, state: object) -> int:
        """What the state takes, beside the model; 0 where the program does not know."""
        try:
            return max(int(self.program.state_bytes(state)), 0)
        except Exception:
            logger.exception("%s cannot say what a state takes.", type(self.program).__name__)
            return 0

    def release(self, state: object) -> None:
        """Drops a state. What it cannot free leaks until the worker ends."""
        try:
            self.program.release(state)
        except Exception:
            logger.exception("A state of %s was not released cleanly.", type(self.program).__name__)

    def _declared_ms(self, known: float | None) -> int | None:
        if not self._waits_outside or known is None or not isfinite(known):
            return None
        return ceil(max(0.0, known))


def _seats(program: AnyProgram) -> int | None:
    seats: object = getattr(program, "seats", None)
    if seats is None or (type(seats) is int and seats > 0):
        return seats
    raise TypeError(f"the seats of a program are a number from 1, or None, not {seats!r}")


def _shape_text(key: Hashable) -> str:
    """As words in their order; long ones as a digest."""
    text = " ".join(_words(key))
    if len(text) <= SHAPE_CHARACTERS_MAX:
        return text
    return blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _words(key: Hashable) -> Iterator[str]:
    if isinstance(key, tuple | frozenset):
        for part in key if isinstance(key, tuple) else sorted(key, key=str):
            yield from _words(part)
    else:
        yield sendable(str(key))
