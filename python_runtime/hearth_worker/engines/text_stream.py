"""A text while an engine writes it: filled by the engine's thread, read by the step loop, which never waits for it."""

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct, field

FinishReason = Literal["stop", "length"]

JINJA_EXCEPTION = "Jinja Exception:"
# So much of its prompt a text reads to the end when it is left.
READ_ON_TOKENS_MAX = 128


class Delta(Struct, frozen=True):
    """What one chunk of the engine brought; counts are those known by then.

    `token` is the id of its last token: where a chunk brings several, because only together they make a character, or
    might have been the beginning of a stop string, the library tells no other.
    """

    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    token: int | None = None


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
        self.is_left = False
        self._has_shown = False

    def cancel(self) -> None:
        """The engine stops at its next chunk."""
        self.is_cancelled = True

    def leave(self) -> None:
        """The engine stops with its next token, but not before it has shown something: so a text gets on however often
        it is left. It stops in a long prompt as well, of which it remembers what it has read."""
        self.is_left = True

    def stops_reading(self, progress: "PromptProgress | None") -> bool:
        """Whether the engine has done enough when it has come so far in the prompt."""
        is_far = progress is not None and progress.total - progress.processed > READ_ON_TOKENS_MAX
        return self.is_cancelled or (self.is_left and is_far)

    def take_chunk(self, data: bytes) -> bool:
        """Called by the engine with each chunk, JSON as OpenAI's API has it; True asks it to stop."""
        if self.is_cancelled:
            return True
        try:
            chunk = CHUNKS.decode(data)
        except msgspec.MsgspecError as error:
            # Not raised: the engine's thread has no use for it.
            self.refused = Refused(f"its answer cannot be read: {error}", is_request_at_fault=False)
            return True
        # Only here it is known that the text before was not the last: the end has a chunk of its own.
        if self.is_left and self._has_shown and not chunk.is_of_end:
            return True
        self._take(chunk)
        self._wake()
        return self.stops_reading(chunk.prompt_progress)

    def fail(self, message: str) -> None:
        """The engine could not be called."""
        self.refused = Refused(message, is_request_at_fault=False)
        self.end()

    def end(self) -> None:
        """The engine has returned."""
        self.is_ended = True
        self._wake()

    def _take(self, chunk: "Chunk") -> None:
        if chunk.error is not None:
            error = chunk.error
            template_words = _words_of_template(error.message)
            at_fault = 400 <= error.code < 500 or template_words is not None
            self.refused = Refused(template_words or error.message, at_fault, error.n_prompt_tokens, error.n_ctx)
            return
        token = None
        for choice in chunk.choices:
            if choice.logprobs is not None and choice.logprobs.content:
                token = choice.logprobs.content[-1].id
            if choice.finish_reason is not None:
                self.finish_reason = "stop" if choice.finish_reason == "stop" else "length"
        text = "".join(choice.delta.content or choice.text for choice in chunk.choices)
        self._has_shown = self._has_shown or text != ""
        self.deltas.append(Delta(text, *_counts(chunk), token))


def _words_of_template(message: str) -> str | None:
    """What the model's chat template says against the messages; None when it is not the template that refuses.

    llama.cpp words it as "... Jinja Exception: <the template's words>", and calls it a failure of its own.
    """
    _, found, words = message.partition(JINJA_EXCEPTION)
    return (words.strip().splitlines() or ["it gives no reason"])[0] if found else None


def _counts(chunk: "Chunk") -> tuple[int | None, int | None]:
    if chunk.usage is not None:
        return chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    if chunk.timings is not None:
        return chunk.timings.cache_n + chunk.timings.prompt_n, chunk.timings.predicted_n
    return None, None


class _Delta(Struct, frozen=True):
    content: str | None = None


class _Token(Struct, frozen=True):
    id: int


class _Logprobs(Struct, frozen=True):
    content: list[_Token] = []


class _Choice(Struct, frozen=True):
    """Of a chat it has a delta, of a text that goes on the bare text."""

    delta: _Delta = _Delta()
    text: str = ""
    logprobs: _Logprobs | None = None
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


class PromptProgress(Struct, frozen=True):
    """Tokens of the prompt, and those of them that are read."""

    total: int
    processed: int


class _Settings(Struct, frozen=True):
    stop: list[str] = []


class _Verbose(Struct, frozen=True):
    """What the library tells of itself where it is asked to; `stop` with the strings of the template."""

    prompt: str = ""
    generation_settings: _Settings = _Settings()


class Chunk(Struct, frozen=True):
    """A piece of an answer of the library."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    timings: _Timings | None = None
    prompt_progress: PromptProgress | None = None
    error: _Error | None = None
    verbose: _Verbose | None = field(name="__verbose", default=None)

    @property
    def is_of_end(self) -> bool:
        """It says how the answer ends, or what it took."""
        is_last = any(choice.finish_reason is not None for choice in self.choices)
        return is_last or self.usage is not None or self.error is not None


CHUNKS: msgspec.json.Decoder[Chunk] = msgspec.json.Decoder(Chunk)
