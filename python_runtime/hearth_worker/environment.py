"""What the server tells a worker about itself (PROTOCOL.md section 1)."""

import os
from collections.abc import Mapping

from msgspec import Struct, ValidationError, convert

LOAD_BUFFER_BYTES = 256 * 1024 * 1024


class Environment(Struct, frozen=True):
    """`epoch` is unique per worker process; `cores` is empty when the worker may run anywhere; `without` names
    mechanisms that are switched off for a measurement; `program_paths` are folders whose sub-folders hold programs;
    `load_buffer_bytes` go at the same time through memory of what cannot be mapped; `private_bytes_max` is what the
    device has to give, where this process is to be bounded by it.
    """

    worker_id: str
    epoch: int
    engine: str
    threads: int
    cores: list[int]
    without: frozenset[str] = frozenset()
    program_paths: tuple[str, ...] = ()
    reload_programs: bool = False
    load_buffer_bytes: int = LOAD_BUFFER_BYTES
    private_bytes_max: int | None = None


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Raises ValueError that names the variable which is missing or wrong."""
    cores = variables.get("HEARTH_CORES", "")
    return Environment(
        worker_id=variables.get("HEARTH_WORKER_ID", ""),
        epoch=_positive(variables, "HEARTH_EPOCH"),
        engine=_word(variables, "HEARTH_ENGINE"),
        threads=_positive(variables, "HEARTH_THREADS"),
        cores=[_core(core) for core in cores.split(",") if core.strip()],
        without=frozenset(variables.get("HEARTH_WITHOUT", "").split(",")) - {""},
        program_paths=tuple(path for path in variables.get("HEARTH_PROGRAM_PATHS", "").split(os.pathsep) if path),
        reload_programs=variables.get("HEARTH_PROGRAM_RELOAD") == "on",
        private_bytes_max=_optional(variables, "HEARTH_PRIVATE_BYTES"),
        load_buffer_bytes=_positive(variables, "HEARTH_LOAD_BUFFER_BYTES", str(LOAD_BUFFER_BYTES)),
    )


def _word(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise ValueError(f"{name} must be set; a worker is started by the Hearth server.")
    return value


def _positive(variables: Mapping[str, str], name: str, default: str = "") -> int:
    value = variables.get(name) or default or _word(variables, name)
    try:
        number = convert(value, int, strict=False)
    except ValidationError as error:
        raise ValueError(f"{name} must be a positive integer, not {value!r}") from error
    if number < 1:
        raise ValueError(f"{name} must be a positive integer, not {value!r}")
    return number


def _optional(variables: Mapping[str, str], name: str) -> int | None:
    return _positive(variables, name) if variables.get(name) else None


def _core(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError(f"HEARTH_CORES must be a comma-separated list of cores, not one with {text!r}")
    return int(text)
