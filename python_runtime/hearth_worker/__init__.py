"""Hearth's worker: a step loop that runs programs on inference engines, spoken to by frames (PROTOCOL.md)."""
