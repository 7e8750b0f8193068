"""Text from a chat: the engine writes continuously and batches by itself; a step hands on what it has written since."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec
from msgspec import Struct

from hearth_worker.engines.text_stream import Delta, Refused, TextStream
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Piece, Progress
from hearth_worker.programs.program import Program, Promise

if TYPE_CHECKING:
    from hearth_worker.engines.llama_cpp import LlamaCppModel

# llama.cpp keeps the seed in 32 bits; all ones stand for a random one.
SEEDS = 2**32 - 1


class Message(Struct, frozen=True):
    """One turn of the chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class GenerateTextRequest(Struct, rename="camel", frozen=True):
    """The model's chat template is applied to the messages. A seed of None is drawn by the engine."""

    messages: list[Message]
    max_tokens: int
    temperature: float
    top_p: float
    stop: list[str] = []
    seed: int | None = None


class GenerateTextOutput(Struct, rename="camel", frozen=True):
    """The text and what it took."""

    text: str
    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    completion_tokens: int


class TextState(Struct, frozen=True):
    """`stream` is None until the first step; `read` of its deltas are in `text`."""

    request: GenerateTextRequest
    stream: TextStream | None = None
    read: int = 0
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class GenerateText(Program[GenerateTextRequest, TextState, GenerateTextOutput]):
    """Each started state has a slot of the engine until it ends."""

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

    def release(self, state: TextState) -> None:
        if state.stream is not None:
            state.stream.cancel()

    def _begin(self, state: TextState) -> Advanced[TextState]:
        stream = self._model.write(_chat_request(state.request))
        return Advanced(msgspec.structs.replace(state, stream=stream))


def _go_on(state: TextState, stream: TextStream) -> Advanced[TextState] | Done[GenerateTextOutput] | Failed:
    # Asked first: what the engine wrote before its end is in the deltas then.
    is_ended = stream.is_ended
    deltas = stream.deltas[state.read :]
    if is_ended and stream.finish_reason is None:
        return _failure(stream.refused)
    advanced = _joined(state, deltas)
    written = "".join(delta.text for delta in deltas)
    pieces = [Piece(written)] if written else []
    progress = Progress(advanced.completion_tokens, state.request.max_tokens, "tokens")
    if is_ended:
        assert stream.finish_reason is not None
        return Done(_output(advanced, stream.finish_reason), progress, pieces)
    return Advanced(advanced, progress, pieces)


def _joined(state: TextState, deltas: Sequence[Delta]) -> TextState:
    prompt_tokens, completion_tokens = state.prompt_tokens, state.completion_tokens
    for delta in deltas:
        prompt_tokens = delta.prompt_tokens or prompt_tokens
        completion_tokens = delta.completion_tokens or completion_tokens
    return TextState(
        request=state.request,
        stream=state.stream,
        read=state.read + len(deltas),
        text=state.text + "".join(delta.text for delta in deltas),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


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


def _chat_request(request: GenerateTextRequest) -> bytes:
    """As llama.cpp takes it; `return_progress` gives chunks while the prompt is read, where it can be stopped."""
    seed = {} if request.seed is None else {"seed": request.seed % SEEDS}
    return msgspec.json.encode(
        {
            "messages": request.messages,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stop": request.stop,
            **seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timings_per_token": True,
            "return_progress": True,
            "reasoning_format": "none",
        }
    )
