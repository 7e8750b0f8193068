"""A prompt, and what the picture is to be unlike, as the vectors that steer the denoiser."""

import os
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from hearth_worker.failures import LoadFailed
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Done
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.reports import TensorPort
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel


class EncodeTextRequest(Struct, rename="camel", frozen=True):
    """Both may be empty."""

    prompt: str
    negative_prompt: str = ""


class EncodedText(Struct, rename="camel", frozen=True):
    """`context` is float32 [2, tokens, size]: of the prompt, then of the negative prompt.

    `unknown_words` are those of both that the model never learnt; `truncated`: what did not fit was left out.
    """

    context: Tensor
    unknown_words: list[str]
    truncated: bool


class EncodeText(Program[EncodeTextRequest, EncodeTextRequest, EncodedText]):
    """For graphs that take `input_ids` [batch, tokens] and give `context`, with a file of role `tokenizer`.

    The promise holds with prepacked weights (option `prepack`), as that of denoising does.
    """

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = EncodeTextRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed if the component is no such encoder."""
        # Tokenising in threads of its own would take cores that are others'.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        # Here, not above: workers of other engines read this file too, and need neither numpy nor tokenizers.
        import numpy as np

        from hearth_worker.programs.graph_ports import fitting_component
        from hearth_worker.programs.prompt_tokenizer import PromptTokenizer

        self._numpy = np
        self._encoder = fitting_component(model, components, {"input_ids": 2}, {"context": 3})
        tokens = _tokens(self._encoder.inputs)
        self._tokenizer = PromptTokenizer(self._encoder.files.path("tokenizer"), tokens)
        self._runs = InterruptibleRuns()

    def start(self, request: EncodeTextRequest) -> EncodeTextRequest:
        return request

    def batch_key(self, state: EncodeTextRequest) -> Hashable:  # noqa: ARG002
        return None

    def step(self, states: Sequence[EncodeTextRequest]) -> list[Done[EncodedText]]:
        prompts = [self._tokenizer.read(text) for state in states for text in (state.prompt, state.negative_prompt)]
        ids = self._numpy.array([prompt.ids for prompt in prompts], self._numpy.int64)
        context = self._runs.run(self._encoder, {"input_ids": ids}, ["context"])[0]
        outcomes = []
        for index in range(len(states)):
            both = slice(2 * index, 2 * index + 2)
            unknown = dict.fromkeys(word for prompt in prompts[both] for word in prompt.unknown_words)
            # A job holds them until it ends, and they are gathered for each step anyway: apart from other jobs'.
            own = context[both].copy() if len(states) > 1 else context
            vectors = Tensor("float32", own.shape, own)
            outcomes.append(Done(EncodedText(vectors, list(unknown), any(each.truncated for each in prompts[both]))))
        return outcomes

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()


def _tokens(inputs: Sequence[TensorPort]) -> int:
    shape = inputs[0].shape
    if not isinstance(shape[-1], int):
        raise LoadFailed(f"An encoder of prompts takes rows of a fixed number of tokens; this one takes {shape}.")
    return shape[-1]
