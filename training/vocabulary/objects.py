"""The objects that prompts may name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

OBJECTS_FILE = Path(__file__).with_name("objects.txt")


@dataclass(frozen=True)
class Thing:
    """An everyday object: the noun of prompts, and the icon that shows it in every style."""

    noun: str
    icon: str


@cache
def read_objects() -> tuple[Thing, ...]:
    """All objects, in the order that gives them their numbers."""
    lines = (line.strip() for line in OBJECTS_FILE.read_text().splitlines())
    pairs = (line.split("=") for line in lines if line and not line.startswith("#"))
    return tuple(Thing(noun, icon) for noun, icon in pairs)
