"""Prompts to token numbers: a small vocabulary of words, in which a noun of several words ("fire truck") is one token.

Lower-cased; everything but letters, digits and apostrophes separates. Words that training never saw become UNKNOWN and
are reported, so that a user can be told which words the model does not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from training.pictures.icons import STYLES
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.objects import read_objects
from training.vocabulary.prompts import TEMPLATES

PADDING, BEGINNING, UNKNOWN = 0, 1, 2
SPECIAL_TOKENS = ("<padding>", "<beginning>", "<unknown>")

# Tokens of every prompt, padded or cut to this length.
PROMPT_TOKENS = 16

WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True)
class Tokens:
    """`numbers` has PROMPT_TOKENS entries; `unknown` are the prompt's words the model never learnt."""

    numbers: tuple[int, ...]
    unknown: tuple[str, ...]


@cache
def read_vocabulary() -> tuple[str, ...]:
    """All tokens in the order of their numbers: special ones, the words of templates, styles, colours, nouns."""
    of_templates = {word for template in TEMPLATES for word in words(re.sub(r"{\w+}", " ", template))} | {"a", "an"}
    nouns = [thing.noun for thing in read_objects()]
    return (*SPECIAL_TOKENS, *sorted(of_templates), *STYLES, *COLOUR_NAMES, *nouns)


def tokenize(prompt: str) -> Tokens:
    """The longest known phrase at each place wins."""
    number_of = numbers()
    spoken = words(prompt)
    found, unknown = [BEGINNING], []
    place = 0
    while place < len(spoken):
        for length in range(min(PHRASE_WORDS_MAX, len(spoken) - place), 0, -1):
            phrase = " ".join(spoken[place : place + length])
            if phrase in number_of:
                found.append(number_of[phrase])
                break
        else:
            length = 1
            found.append(UNKNOWN)
            unknown.append(spoken[place])
        place += length
    padded = found[:PROMPT_TOKENS] + [PADDING] * (PROMPT_TOKENS - len(found))
    return Tokens(tuple(padded), tuple(unknown))


# No noun has more words.
PHRASE_WORDS_MAX = 3


@cache
def numbers() -> dict[str, int]:
    return {token: number for number, token in enumerate(read_vocabulary())}


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())
