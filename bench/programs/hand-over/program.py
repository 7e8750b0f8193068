"""Two tasks of a job, one of which hands a tensor to the other: by reference, or in the request of the other."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from msgspec import Struct

from hearth_worker.programs import hand_over
from hearth_worker.programs.one_step import OneStep
from hearth_worker.protocol.tensors import Tensor


class GiveRequest(Struct, frozen=True):
    """A tensor of so many bytes."""

    bytes: int


class Given(Struct, frozen=True):
    """uint8 [n]."""

    tensor: Tensor


class Give(OneStep[GiveRequest, Given]):
    """Makes a tensor of its own for each task."""

    request_type: ClassVar[type] = GiveRequest

    def run(self, request: GiveRequest) -> Given:
        return Given(Tensor("uint8", [request.bytes], np.ones(request.bytes, np.uint8)))


class TakeRequest(Struct, frozen=True):
    """`data` where no task is followed."""

    data: bytes = b""


class Taken(Struct, frozen=True):
    """The sum of all bytes, each of which was read."""

    sum: int


class Take(OneStep[Any, Taken]):
    """Adds up what it was handed."""

    request_type: ClassVar[type] = TakeRequest

    def start(self, request: TakeRequest) -> Any:
        return np.frombuffer(request.data, np.uint8)

    def start_after(self, request: TakeRequest, inputs: Mapping[str, object]) -> Any:
        return hand_over.taken(inputs, "tensor") if inputs else self.start(request)

    def run(self, request: Any) -> Taken:
        return Taken(int(request.sum()))


PROGRAMS = {"give": Give, "take": Take}
