"""Which combinations training never sees, so that evaluation can ask for something new."""

from __future__ import annotations

from training.vocabulary.colours import COLOUR_NAMES

# An icon that is no object of prompts is kept from the autoencoder and the upscaler with this chance (one in so many).
UNSEEN_ICON_EVERY = 12


def is_held_out(thing: int, colour: int) -> bool:
    """Whether object number `thing` is never shown on background number `colour`, in either style.

    Each object misses exactly one background, and each background misses a twelfth of the objects.
    """
    return (thing * 7 + colour * 5) % len(COLOUR_NAMES) == 0


def held_out_colour(thing: int) -> int:
    """The one background on which `thing` is never shown."""
    return next(colour for colour in range(len(COLOUR_NAMES)) if is_held_out(thing, colour))
