"""A text as llama.cpp is asked for it: from the beginning, or from where it was left.

A chat is asked for with its messages, and the library applies the model's template. What goes on after a pause is asked
for with the prompt itself, so that what was written can be given by token ids: the same words may be cut into other
tokens (two line breaks are two tokens or one), and the text would go on differently. The library has no call that only
applies the template; but whoever asks for no tokens, verbosely, is told the prompt. That question is asked with the
text so far, for then what the slot remembers of it stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hearth_worker.engines.text_stream import CHUNKS, TextStream

# Token ids, and pieces of text whose tokens the library does not tell one by one: these it cuts into tokens again, each
# for itself. (A tokenizer that begins every text with a space does so with a piece as well; only the model sees it.)
Written = int | str

# `return_progress` gives chunks while a prompt is read, where it can be stopped; `n_probs` names the token of a chunk.
# Probabilities after sampling are cheap: the library has them anyway.
ALWAYS = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "timings_per_token": True,
    "return_progress": True,
    "reasoning_format": "none",
    "cache_prompt": True,
    "n_probs": 1,
    "post_sampling_probs": True,
}
TELLS_PROMPT = {"stream": True, "return_progress": True, "reasoning_format": "none", "max_tokens": 0, "verbose": True}
FRONT_PROBE = "a"


class TextRequest(Struct, frozen=True):
    """Messages as OpenAI's API has them; `settings` of sampling and length by llama.cpp's names. `written` reads as
    `text`: what is there of the answer already."""

    messages: Sequence[Mapping[str, str]]
    settings: Mapping[str, Any]
    written: Sequence[Written] = ()
    text: str = ""

    def from_the_beginning(self) -> bytes:
        """A chat request."""
        return msgspec.json.encode({"messages": self.messages, **self.settings, **ALWAYS})

    def for_its_prompt(self) -> bytes:
        """A chat request for no token, whose answer is in a `PromptReader`."""
        return msgspec.json.encode(
            {"messages": self._messages_with_text(), **TELLS_PROMPT, "stop": self.settings["stop"]}
        )

    def from_where_it_was(self, prompt: str, stop: Sequence[str]) -> bytes:
        """A completion request; `prompt` and `stop` as the library told them."""
        # Without the text at its end the template has done something to it: then it goes by its words.
        is_as_written = prompt.endswith(self.text)
        parts = [prompt.removesuffix(self.text), *self.written] if is_as_written else [prompt]
        return msgspec.json.encode({"prompt": parts, **self.settings, **ALWAYS, "stop": stop})

    def _messages_with_text(self) -> list[Mapping[str, str]]:
        """A last message of the assistant is one that it goes on with."""
        last = self.messages[-1] if self.messages else {}
        if last.get("role") == "assistant":
            return [*self.messages[:-1], {**last, "content": last["content"] + self.text}]
        return [*self.messages, {"role": "assistant", "content": self.text}]


class PromptReader:
    """Hears the answer to `for_its_prompt`. What goes wrong is told to the stream that waits for it."""

    def __init__(self, stream: TextStream) -> None:
        self._stream = stream
        self.prompt: str | None = None
        # The request's, and those of the template.
        self.stop: Sequence[str] = ()

    def take_chunk(self, data: bytes) -> bool:
        """True asks the engine to stop."""
        chunk = CHUNKS.decode(data)
        if chunk.error is not None:
            return self._stream.take_chunk(data)
        if chunk.verbose is not None:
            self.prompt = chunk.verbose.prompt
            self.stop = chunk.verbose.generation_settings.stop
        # A token comes all the same; the text does not get it.
        return self._stream.stops_reading(chunk.prompt_progress)


def front_probe() -> bytes:
    """A completion request for no token of a text that everybody knows."""
    return msgspec.json.encode({"prompt": FRONT_PROBE, "max_tokens": 0, "verbose": True})


def front_of(answer: bytes) -> str:
    """What the tokenizer puts before each prompt, by the answer to `front_probe`: prompts are told with it, and must
    not be given with it, for it would come twice."""
    told = CHUNKS.decode(answer).verbose
    return told.prompt.removesuffix(FRONT_PROBE).rstrip() if told else ""
