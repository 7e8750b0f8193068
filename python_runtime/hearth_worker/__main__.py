"""`python -m hearth_worker`: from a bare process to a worker that has said HELLO, to its end."""

import gc
import os
import sys
import traceback
from importlib.metadata import version
from platform import python_version
from typing import NoReturn

from hearth_worker import process
from hearth_worker.activity import Activity
from hearth_worker.chunk_sizes import ChunkSizes
from hearth_worker.connection import Connection, ServerGone
from hearth_worker.engines.engine import Engine, EngineSettings
from hearth_worker.engines.registry import find_engine
from hearth_worker.environment import Environment, read_environment
from hearth_worker.inbox import Inbox
from hearth_worker.interrupts import Interrupts
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.log_frames import log_to
from hearth_worker.loop import StepLoop
from hearth_worker.model_load import LoadLimits
from hearth_worker.models import Models
from hearth_worker.programs.known_programs import KnownPrograms
from hearth_worker.protocol.reports import PROTOCOL_VERSION, Hello
from hearth_worker.reader import EXIT_BUG, EXIT_PROTOCOL_ERROR, EXIT_SERVER_GONE, Reader

CAPABILITIES = ["slabs", "pause", "checkpoint", "lease", "interrupt", "hold"]
EXIT_CANNOT_START = 2


def main() -> NoReturn:
    """Never returns: engines leave threads behind that would keep an interpreter from ending."""
    try:
        status = work()
    except ServerGone:
        status = EXIT_SERVER_GONE
    except Exception:
        traceback.print_exc()
        status = EXIT_BUG
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def work() -> int:
    """Serves until asked to stop; returns the exit status."""
    inbox = Inbox()
    try:
        environment = read_environment(os.environ)
        connection = Connection(process.take_stream())
        prepare_process(environment, inbox)
        engine = find_engine(environment.engine)(EngineSettings(environment.threads, inbox.wake))
        if environment.private_bytes_max is not None:
            process.limit_private_memory(environment.private_bytes_max, environment.threads)
    except (ValueError, OSError, ImportError, LookupError) as error:
        print(f"This worker cannot start: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_CANNOT_START
    programs = KnownPrograms(environment.engine, environment.program_paths, reload=environment.reload_programs)
    # What lives now lives as long as the worker: the garbage collector need not look at it again.
    gc.freeze()
    connection.tell(hello(environment, engine, list(programs)))
    # Not before HELLO, which has to be the first frame; until here logging writes to standard error.
    log_to(connection)
    activity = Activity()
    large = LargeTensors(ChunkSizes(is_adaptive="adaptive-chunks" not in environment.without))
    interrupts = Interrupts()
    Reader(connection, inbox, activity, large, interrupts).start()
    models = Models(engine, programs, inbox.wake, LoadLimits(buffer_bytes=environment.load_buffer_bytes))
    joins_reports = "joined-reports" not in environment.without
    loop = StepLoop(
        environment.epoch, connection, inbox, activity, models, large, interrupts, joins_reports=joins_reports
    )
    try:
        loop.run()
    except ServerGone:
        # The reader has closed the stream over a breach and ends the process too; the status is the same.
        if connection.gave_up:
            return EXIT_PROTOCOL_ERROR
        raise
    loop.release_all()
    return 0


def prepare_process(environment: Environment, inbox: Inbox) -> None:
    """Before anything is imported that starts threads of its own."""
    process.merge_outputs()
    process.own_signals(inbox.stop)
    process.die_with_parent()
    process.pin_to(environment.cores)


def hello(environment: Environment, engine: Engine, programs: list[str]) -> Hello:
    """Who this worker is."""
    return Hello(
        protocol=PROTOCOL_VERSION,
        epoch=environment.epoch,
        engine=environment.engine,
        pid=os.getpid(),
        programs=programs,
        capabilities=CAPABILITIES,
        versions={"python": python_version(), "hearth_worker": version("hearth-worker"), **engine.versions},
    )


if __name__ == "__main__":
    main()
