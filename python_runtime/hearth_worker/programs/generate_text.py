"""Text from a chat: the engine writes continuously and batches by itself; a step hands on what it has written since."""

import sys
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from msgspec import Struct

from hearth_worker.engines.text_request import TextRequest
from hearth_worker.engines.text_stream import Refused, TextStream
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Piece, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.programs.saved_text import read_back, write_down
from hearth_worker.programs.text_state import GenerateTextRequest, TextState, joined, left_off

if TYPE_CHECKING:
    from hearth_worker.engines.llama_cpp import LlamaCppModel

# llama.cpp keeps the seed in 32 bits; all ones stand for a random one.
SEEDS = 2**32 - 1


class GenerateTextOutput(Struct, rename="camel", frozen=True):
    """The text and what it took."""

    text: str
    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    completion_tokens: int


class GenerateText(Program[GenerateTextRequest, TextState, GenerateTextOutput]):
    """Each started state has a slot of the engine until it ends or is suspended.

    What a suspended or saved text has shown stays, by token ids, and it goes on from there. The rest may differ from
    that of a text that nobody disturbed: the seed begins anew, and the company in the engine is another.
    """

    promise: ClassVar[Promise] = "continuation"
    engine: ClassVar[str | None] = "llama_cpp"
    request_type: ClassVar[type] = GenerateTextRequest

    def __init__(self, model: "LlamaCppModel", components: Sequence[str]) -> None:  # noqa: ARG002
        self._model = model
        self.seats: int | None = model.slots

    def start(self, request: GenerateTextRequest) -> TextState:
        return TextState(request)

    def batch_key(self, state: TextState) -> Hashable:  # noqa: ARG002
        return None

    def ready(self, state: TextState) -> bool:
        stream = state.stream
        return stream is None or stream.is_ended or len(stream.deltas) > state.read

    def step(self, states: Sequence[TextState]) -> list[Advanced[TextState] | Done[GenerateTextOutput] | Failed]:
        return [self._begin(state) if state.stream is None else _go_on(state, state.stream) for state in states]

    def keep(self, state: TextState) -> GenerateTextOutput:
        return _output(state, "cancelled")

    def suspend(self, state: TextState) -> TextState:
        """The engine stops with its next token. The next steps show what it has written, and have it write on."""
        if state.stream is not None:
            state.stream.leave()
        return state

    def save(self, state: TextState) -> bytes:
        return write_down(state)

    def restore(self, request: GenerateTextRequest, saved: bytes) -> TextState:
        """Raises ValueError for what was saved of another text. The first step tells what the text has so far."""
        return read_back(request, saved)

    def state_bytes(self, state: TextState) -> int:
        """Beside the slot, which is the model's: the text, and what names its tokens."""
        return sys.getsizeof(state.text) + sys.getsizeof(state.written)

    def release(self, state: TextState) -> None:
        if state.stream is not None:
            state.stream.cancel()

    def _begin(self, state: TextState) -> Advanced[TextState] | Done[GenerateTextOutput]:
        # Whoever reads has been told that the attempt before is lost: a text begins anew with each attempt.
        pieces = [Piece(state.text)] if state.is_untold else []
        if state.completion_tokens >= state.request.max_tokens:
            # It was left between its last token and its end.
            return Done(_output(state, "length"), pieces=pieces)
        stream = self._model.write(_text_request(state))
        return Advanced(msgspec.structs.replace(state, stream=stream, is_untold=False), pieces=pieces)


def _go_on(state: TextState, stream: TextStream) -> Advanced[TextState] | Done[GenerateTextOutput] | Failed:
    # Asked first: what the engine wrote before its end is in the deltas then.
    is_ended = stream.is_ended
    deltas = stream.deltas[state.read :]
    if is_ended and stream.finish_reason is None and not (stream.is_left and stream.refused is None):
        return _end_without_reason(state, stream.refused)
    advanced = joined(state, deltas)
    written = "".join(delta.text for delta in deltas)
    pieces = [Piece(written)] if written else []
    progress = Progress(advanced.completion_tokens, state.request.max_tokens, "tokens")
    if not is_ended:
        return Advanced(advanced, progress, pieces)
    if stream.finish_reason is None:
        return Advanced(left_off(advanced), progress, pieces)
    return Done(_output(advanced, stream.finish_reason), progress, pieces)


def _end_without_reason(state: TextState, refused: Refused | None) -> Done[GenerateTextOutput] | Failed:
    if state.tokens_before > 0 and refused is not None and refused.context_tokens is not None:
        # It filled the model's context when it was left.
        return Done(_output(state, "length"))
    return _failure(refused)


def _failure(refused: Refused | None) -> Failed:
    if refused is None:
        return Failed("engine_error", "llama.cpp ended the text without a reason.", retryable=True)
    if refused.prompt_tokens is not None and refused.context_tokens is not None:
        return Failed(
            "invalid_request",
            f"The prompt has {refused.prompt_tokens} tokens, but the model's context holds {refused.context_tokens}. "
            "Shorten the prompt, or raise contextTokens in the model's options.",
        )
    if refused.is_request_at_fault:
        return Failed("invalid_request", f"llama.cpp refused the request: {refused.message}")
    return Failed("engine_error", f"llama.cpp failed: {refused.message}", retryable=True)


def _output(state: TextState, reason: Literal["stop", "length", "cancelled"]) -> GenerateTextOutput:
    return GenerateTextOutput(state.text, reason, state.prompt_tokens, state.completion_tokens)


def _text_request(state: TextState) -> TextRequest:
    request = state.request
    seed = {} if request.seed is None else {"seed": request.seed % SEEDS}
    return TextRequest(
        messages=msgspec.to_builtins(request.messages),
        settings={
            "max_tokens": request.max_tokens - state.completion_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stop": request.stop,
            **seed,
        },
        written=state.written,
        text=state.text,
    )
