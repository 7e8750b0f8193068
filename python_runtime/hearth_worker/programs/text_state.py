"""A text that is being written: what was asked for, and how far it is."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from hearth_worker.engines.text_request import Written
from hearth_worker.engines.text_stream import Delta, TextStream


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


class TextState(Struct, frozen=True):
    """`stream` is None until a step begins one; `read` of its deltas are in `text`.

    `written` are the `tokens_written` tokens of the text. The engine may have told of more, which show nothing: the one
    that ends the text is such a token. `tokens_before` were there when the stream began: of a text that was left.
    `is_untold`: its text is of an attempt that was lost, and is told again before it goes on.
    """

    request: GenerateTextRequest
    stream: TextStream | None = None
    read: int = 0
    text: str = ""
    written: tuple[Written, ...] = ()
    tokens_written: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_before: int = 0
    is_untold: bool = False


def joined(state: TextState, deltas: Sequence[Delta]) -> TextState:
    """With the next deltas of its stream."""
    prompt_tokens, completion_tokens = state.prompt_tokens, state.completion_tokens
    written, tokens_written = list(state.written), state.tokens_written
    for delta in deltas:
        if state.tokens_before == 0:
            prompt_tokens = delta.prompt_tokens or prompt_tokens
        completion_tokens = max(completion_tokens, state.tokens_before + (delta.completion_tokens or 0))
        if delta.text:
            is_one_token = completion_tokens == tokens_written + 1
            written.append(delta.token if is_one_token and delta.token is not None else delta.text)
            tokens_written = completion_tokens
    return msgspec.structs.replace(
        state,
        read=state.read + len(deltas),
        text=state.text + "".join(delta.text for delta in deltas),
        written=tuple(written),
        tokens_written=tokens_written,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def left_off(state: TextState) -> TextState:
    """The same text without a stream: its next step has the engine write on, from the beginning if nothing is there."""
    if not state.text:
        return TextState(state.request)
    tokens = state.tokens_written
    return msgspec.structs.replace(state, stream=None, read=0, completion_tokens=tokens, tokens_before=tokens)
