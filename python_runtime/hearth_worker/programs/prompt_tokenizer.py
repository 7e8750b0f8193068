"""Prompts to rows of token numbers, all of one length, and what of them the model does not know."""

from pathlib import Path

from msgspec import Struct
from tokenizers import Encoding, Tokenizer

from hearth_worker.failures import LoadFailed, words_of


class PromptTokens(Struct, frozen=True):
    """`ids` are padded or cut to the length that the encoder takes."""

    ids: list[int]
    unknown_words: list[str]
    truncated: bool


class PromptTokenizer:
    """A tokenizer.json of Hugging Face's format."""

    def __init__(self, path: Path, tokens: int) -> None:
        """Raises LoadFailed."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises bare Exception.
            raise LoadFailed(f"{path} is no tokenizer that can be read: {words_of(error)}.") from error
        padding = self._tokenizer.padding or {}
        kept = {name: padding[name] for name in ("direction", "pad_id", "pad_token", "pad_type_id") if name in padding}
        self._tokenizer.enable_padding(**kept, length=tokens)
        self._tokenizer.enable_truncation(tokens)
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown_id = None if unknown is None else self._tokenizer.token_to_id(unknown)

    def read(self, prompt: str) -> PromptTokens:
        """Unknown words in their order, as the prompt spells them; also of what was cut off."""
        encoding = self._tokenizer.encode(prompt)
        parts = [encoding, *encoding.overflowing]
        words = [word for part in parts for word in self._unknown_words(prompt, part)]
        return PromptTokens(encoding.ids, words, truncated=bool(encoding.overflowing))

    def _unknown_words(self, prompt: str, part: Encoding) -> list[str]:
        numbered = zip(part.ids, part.offsets, strict=True)
        return [prompt[begin:end] for number, (begin, end) in numbered if number == self._unknown_id]
