"""The sentences training speaks, and so the sentences the model understands best."""

from __future__ import annotations

from dataclasses import dataclass

from training.pictures.icons import STYLES
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.objects import read_objects

# {a_thing} is the noun with its article, {a_colour} and {a_style} alike.
FULL_TEMPLATES = (
    "{style} {thing} on {a_colour} background",
    "{a_thing} on {a_colour} background, {style} style",
    "{style} style {thing}, {colour} background",
    "{a_style} {thing} on {colour}",
    "{colour} background with {a_thing}, {style}",
)
# People leave things out. What is not said may be anything.
PARTIAL_TEMPLATES = (
    "{a_thing} on {a_colour} background",
    "{a_thing}, {style} style",
    "{a_thing}",
    "{thing}",
)
# People say "a red apple on a blue background". Things have the colours they have: what is said of one must not tint
# the background.
COLOURED_TEMPLATES = (
    "{style} {said} {thing} on {a_colour} background",
    "{a_said} {thing} on {a_colour} background, {style} style",
)
TEMPLATES = FULL_TEMPLATES + PARTIAL_TEMPLATES + COLOURED_TEMPLATES

# The parts of prompts that leave something out, and that say a colour of the thing.
PARTIAL_PART = 0.15
COLOURED_PART = 0.15


@dataclass(frozen=True)
class Scene:
    """What one picture shows, as numbers."""

    thing: int
    style: int
    colour: int


def describe(scene: Scene, template: str, said: int = 0) -> str:
    """The prompt that asks for `scene`, in the words of `template`; `said` is the colour said of the thing, if any."""
    thing, style, colour = read_objects()[scene.thing].noun, STYLES[scene.style], COLOUR_NAMES[scene.colour]
    return template.format(
        thing=thing,
        style=style,
        colour=colour,
        said=COLOUR_NAMES[said],
        a_said=with_article(COLOUR_NAMES[said]),
        a_thing=with_article(thing),
        a_style=with_article(style),
        a_colour=with_article(colour),
    )


def with_article(noun: str) -> str:
    """The noun with "a" or "an"; plurals stand alone."""
    if noun in PLURALS:
        return noun
    return f"{'an' if noun[0] in 'aeiou' and noun not in SOUNDED else 'a'} {noun}"


PLURALS = frozenset({"cherries", "grapes", "fries", "scissors", "headphones", "glasses"})
# Begins with a vowel's letter, not with its sound.
SOUNDED = frozenset({"unicorn", "ufo"})
