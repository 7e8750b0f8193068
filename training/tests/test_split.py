"""Which pairs training never sees."""

from __future__ import annotations

from collections import Counter

from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.objects import read_objects
from training.vocabulary.split import held_out_colour, is_held_out


def test_each_object_misses_exactly_one_background() -> None:
    for thing in range(len(read_objects())):
        assert sum(is_held_out(thing, colour) for colour in range(len(COLOUR_NAMES))) == 1


def test_no_background_misses_many_more_objects_than_another() -> None:
    missed = Counter(held_out_colour(thing) for thing in range(len(read_objects())))
    assert len(missed) == len(COLOUR_NAMES)
    assert max(missed.values()) - min(missed.values()) <= 1
