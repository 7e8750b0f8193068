"""What a person sees while a stage runs, and the curve that stays: one line of JSON per report in curves.jsonl."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

# A pause (SIGSTOP, a sleeping laptop) must not ruin the estimate: the rate follows the last reports only.
RATE_MEMORY = 0.7


class Progress:
    """Reports a stage's steps. Times in seconds, rate in pictures per second."""

    def __init__(self, stage: str, steps: int, batch: int, curves: Path) -> None:
        self.stage, self.steps, self.batch, self.curves = stage, steps, batch, curves
        self.last_time = time.monotonic()
        self.last_step: int | None = None
        self.loss: float | None = None
        self.rate: float | None = None

    def note(self, loss: float) -> None:
        """Smooths the loss over about fifty steps."""
        self.loss = loss if self.loss is None else self.loss + (loss - self.loss) / 50

    def report(self, step: int) -> None:
        now = time.monotonic()
        if self.last_step is not None and step > self.last_step:
            rate = (step - self.last_step) * self.batch / (now - self.last_time)
            self.rate = rate if self.rate is None else RATE_MEMORY * self.rate + (1 - RATE_MEMORY) * rate
        self.last_time, self.last_step = now, step
        left = "" if not self.rate else f", {(self.steps - step) * self.batch / self.rate / 60:.0f} min left"
        rate = "" if not self.rate else f", {self.rate:.1f} pictures/s"
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        say(f"{self.stage}: step {step} of {self.steps}{loss}{rate}{left}")
        entry = {
            "stage": self.stage,
            "step": step,
            "loss": self.loss,
            "picturesPerSecond": self.rate,
            "at": round(time.time()),
        }
        with self.curves.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
