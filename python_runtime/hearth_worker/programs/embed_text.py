"""Sentence embeddings: rows of all requests that are ready share each run of the encoder."""

import os
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, ValidationError, convert

from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import InvalidRequest, LoadFailed
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.programs.share_rows import share_rows
from hearth_worker.protocol.reports import TensorPort
from hearth_worker.protocol.tensors import TENSOR_BYTES_MAX, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hearth_worker.engines.onnx import OnnxModel

FLOAT_BYTES = 4


class EmbedLimits(Struct, rename="camel", frozen=True):
    """What the manifest may limit: rows of one run, tokens of one text (more are cut off)."""

    rows_per_step: int = 32
    max_tokens_per_text: int = 256


class EmbedRequest(Struct, frozen=True):
    """One embedding per text."""

    texts: list[str]


class EmbedState(Struct, frozen=True):
    """Which rows are done. `rows` is shared by successive states; what lies beyond `done` counts for nothing yet."""

    texts: list[str]
    rows: "NDArray[Any]"
    # The order in which texts are taken, short ones first: those of one run are then of like length.
    sequence: list[int]
    done: int = 0


class EmbedOutput(Struct, frozen=True):
    """`embeddings` is float32 [count, dimensions]."""

    count: int
    dimensions: int
    embeddings: Tensor


class Row(Struct, frozen=True):
    """A text of some state in this run."""

    state: int
    text: int


class EmbedText(Program[EmbedRequest, EmbedState, EmbedOutput]):
    """For encoders whose graph takes token ids and a mask and gives one vector per row. Vectors are equal within 1e-5,
    alone or in company: padding changes the order of sums."""

    promise: ClassVar[Promise] = "tolerance"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = EmbedRequest

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed if the component is no such encoder."""
        # Tokenising in threads of its own would take cores that are others'.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import numpy as np
        from tokenizers import Tokenizer

        self._numpy = np
        self._encoder = model.components[components[0]]
        self._limits = _limits(model.manifest)
        self._dimensions = _dimensions(self._encoder.outputs)
        self._tokenizer = Tokenizer.from_file(str(self._encoder.files.path("tokenizer")))
        self._tokenizer.enable_truncation(self._limits.max_tokens_per_text)
        self._tokenizer.no_padding()

    def start(self, request: EmbedRequest) -> EmbedState:
        texts = request.texts
        texts_max = TENSOR_BYTES_MAX // (self._dimensions * FLOAT_BYTES)
        if len(texts) > texts_max:
            raise InvalidRequest(f"{len(texts)} texts are too many for one job; {texts_max} are possible.")
        rows = self._numpy.empty((len(texts), self._dimensions), self._numpy.float32)
        return EmbedState(texts, rows, sorted(range(len(texts)), key=lambda text: len(texts[text])))

    def batch_key(self, state: EmbedState) -> Hashable:  # noqa: ARG002
        return None

    def step(self, states: Sequence[EmbedState]) -> list[Advanced[EmbedState] | Done[EmbedOutput] | Failed]:
        shares = share_rows([len(state.texts) - state.done for state in states], self._limits.rows_per_step)
        rows = list(_rows(states, shares))
        if rows:
            vectors = self._embed([states[row.state].texts[row.text] for row in rows])
            for row, vector in zip(rows, vectors, strict=True):
                states[row.state].rows[row.text] = vector
        return [self._outcome(state, share) for state, share in zip(states, shares, strict=True)]

    def _embed(self, texts: Sequence[str]) -> "NDArray[Any]":
        """Tokenises only what runs now: all texts of a large job at once would keep others waiting."""
        np = self._numpy
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        shape = (len(tokens), max(map(len, tokens)))
        ids = np.zeros(shape, np.int64)
        mask = np.zeros(shape, np.int64)
        for index, row in enumerate(tokens):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {port.name: inputs[port.name] for port in self._encoder.inputs}
        vectors: NDArray[Any] = self._encoder.run(wanted)[0]
        return vectors

    def _outcome(self, state: EmbedState, share: int) -> Advanced[EmbedState] | Done[EmbedOutput]:
        done = state.done + share
        count = len(state.texts)
        progress = Progress(done, count, "items")
        if done < count:
            return Advanced(EmbedState(state.texts, state.rows, state.sequence, done), progress)
        embeddings = Tensor("float32", state.rows.shape, state.rows.data)
        return Done(EmbedOutput(count, self._dimensions, embeddings), progress)


def _rows(states: Sequence[EmbedState], shares: Sequence[int]) -> Iterator[Row]:
    for index, (state, share) in enumerate(zip(states, shares, strict=True)):
        for text in state.sequence[state.done : state.done + share]:
            yield Row(index, text)


def _limits(manifest: Manifest) -> EmbedLimits:
    try:
        return convert(manifest.limits, EmbedLimits)
    except ValidationError as error:
        raise LoadFailed(f"The limits of model {manifest.name!r} cannot be read: {error}.") from error


def _dimensions(outputs: Sequence[TensorPort]) -> int:
    shape = outputs[0].shape
    last = shape[-1] if len(shape) == 2 else None
    if not isinstance(last, int):
        raise LoadFailed(f"An encoder of sentences gives rows of a fixed length; this one gives {shape}.")
    return last
