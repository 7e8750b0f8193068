"""Tasks and other requests in the words of the protocol."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

MODELS = Path(__file__).parents[3] / "models"
# Numbers of tasks that only keep the worker busy.
GATE_TASKS = 1_000_000


def task(
    number: int,
    *,
    program: str = "noop",
    request: Mapping[str, Any] | None = None,
    task_class: str = "interactive",
    **fields: Any,
) -> dict[str, Any]:
    """A Task; its order is its number unless said otherwise."""
    return {
        "task": number,
        "model": 1,
        "program": program,
        "components": [],
        "request": request or {"parameters": {}},
        "class": task_class,
        "order": number,
        "credit": 4096,
        "attempt": 1,
    } | fields


def noop_task(number: int, parameters: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A task of the no-op program."""
    return task(number, request={"parameters": dict(parameters or {})}, **fields)


def load_meta(folder: Path, model: int, **manifest_changes: Any) -> dict[str, Any]:
    """A LOAD of the model in a folder, all components."""
    manifest = msgspec.json.decode((folder / "model.json").read_bytes()) | manifest_changes
    names: Sequence[str] = [component["name"] for component in manifest["components"]]
    return {"model": model, "manifest": manifest, "directory": str(folder), "components": names}
