"""A text that is being written, written down: what `save` gives and `restore` takes.

MessagePack, an array: version, digest of the messages, text, its pieces as token ids or texts, and how many tokens they
are, tokens of the prompt. A few bytes for each token.
"""

import hashlib

import msgspec
from msgspec import Struct

from hearth_worker.engines.text_request import Written
from hearth_worker.programs.text_state import GenerateTextRequest, TextState, left_off

VERSION = 1
DIGEST_BYTES = 16


def write_down(state: TextState) -> bytes:
    """What of the text has been read from the engine."""
    messages = _digest(state.request)
    counts = state.tokens_written, state.prompt_tokens
    return msgspec.msgpack.encode(_SavedText(VERSION, messages, state.text, state.written, *counts))


def read_back(request: GenerateTextRequest, saved: bytes) -> TextState:
    """Raises ValueError for what another version has written, or what answers other messages."""
    version = msgspec.msgpack.decode(saved, type=_Version).version
    if version != VERSION:
        raise ValueError(f"the text was saved in version {version}; this is version {VERSION}")
    text = msgspec.msgpack.decode(saved, type=_SavedText)
    if text.messages != _digest(request):
        raise ValueError("the saved text answers other messages")
    state = TextState(
        request,
        text=text.text,
        written=text.written,
        tokens_written=text.tokens_written,
        prompt_tokens=text.prompt_tokens,
    )
    return msgspec.structs.replace(left_off(state), is_untold=bool(text.text))


def _digest(request: GenerateTextRequest) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode(request.messages), digest_size=DIGEST_BYTES).digest()


class _Version(Struct, frozen=True, array_like=True):
    version: int


class _SavedText(Struct, frozen=True, array_like=True):
    version: int
    messages: bytes
    text: str
    written: tuple[Written, ...]
    tokens_written: int
    prompt_tokens: int
