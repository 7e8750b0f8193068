"""A text while an engine writes it: filled by the engine's thread, read by the step loop, which never waits for it."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

FinishReason = Literal["stop", "length"]

JINJA_EXCEPTION = "Jinja Exception:"


class Delta(Struct, frozen=True):
    """What one chunk of the engine brought; counts are those known by then."""

    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Refused(Struct, frozen=True):
    """The engine's reason not to go on. The token counts are set when the prompt was too long."""

    message: str
    is_request_at_fault: bool
    prompt_tokens: int | None = None
    context_tokens: int | None = None


class TextStream:
    """Written by one thread, read by another. Reading takes nothing away, so a step may be repeated."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.deltas: list[Delta] = []
        self.finish_reason: FinishReason | None = None
        self.refused: Refused | None = None
        # The engine has said all that it will.
        self.is_ended = False
        self.is_cancelled = False

    def cancel(self) -> None:
        """The engine stops at its next chunk."""
        self.is_cancelled = True

    def take_chunk(self, data: bytes) -> bool:
        """Called by the engine with each chunk, JSON as OpenAI's API has it; True asks it to stop."""
        if self.is_cancelled:
            return True
        try:
            self._take(_CHUNKS.decode(data))
        except msgspec.MsgspecError as error:
            # Not raised: the engine's thread has no use for it.
            self.refused = Refused(f"its answer cannot be read: {error}", is_request_at_fault=False)
            return True
        self._wake()
        return False

    def fail(self, message: str) -> None:
        """The engine could not be called."""
        self.refused = Refused(message, is_request_at_fault=False)
        self.end()

    def end(self) -> None:
        """The engine has returned."""
        self.is_ended = True
        self._wake()

    def _take(self, chunk: "_Chunk") -> None:
        if chunk.error is not None:
            error = chunk.error
            template_words = _words_of_template(error.message)
            at_fault = 400 <= error.code < 500 or template_words is not None
            self.refused = Refused(template_words or error.message, at_fault, error.n_prompt_tokens, error.n_ctx)
            return
        text = ""
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason is not None:
                self.finish_reason = "stop" if choice.finish_reason == "stop" else "length"
        self.deltas.append(Delta(text, *_counts(chunk)))


def _words_of_template(message: str) -> str | None:
    """What the model's chat template says against the messages; None when it is not the template that refuses.

    llama.cpp words it as "... Jinja Exception: <the template's words>", and calls it a failure of its own.
    """
    _, found, words = message.partition(JINJA_EXCEPTION)
    return (words.strip().splitlines() or ["it gives no reason"])[0] if found else None


def _counts(chunk: "_Chunk") -> tuple[int | None, int | None]:
    if chunk.usage is not None:
        return chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    if chunk.timings is not None:
        return chunk.timings.cache_n + chunk.timings.prompt_n, chunk.timings.predicted_n
    return None, None


class _Delta(Struct, frozen=True):
    content: str | None = None


class _Choice(Struct, frozen=True):
    delta: _Delta
    finish_reason: str | None = None


class _Usage(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int


class _Timings(Struct, frozen=True):
    """llama.cpp's own: tokens taken from the cache, computed, and written so far."""

    cache_n: int
    prompt_n: int
    predicted_n: int


class _Error(Struct, frozen=True):
    message: str
    code: int = 500
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class _Chunk(Struct, frozen=True):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: _Error | None = None


_CHUNKS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Chunk)
