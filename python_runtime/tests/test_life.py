"""A worker's life: how it begins, how it ends, and that it never stays behind."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import third_party
from tests.support.listener import WAIT_S_MAX
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness, environment, noop_worker


def test_hello_says_who_it_is() -> None:
    with WorkerHarness() as worker:
        hello = worker.hello()
        assert (hello.protocol, hello.epoch, hello.engine, hello.pid) == (1, 7, "none", worker.process.pid)
        assert hello.programs == ["noop"]
        assert hello.versions["python"].startswith("3.")


def test_programs_of_third_parties_are_found_and_a_broken_one_is_left_out(
    third_party_variables: dict[str, str],
) -> None:
    with WorkerHarness(variables=third_party_variables) as worker:
        assert worker.hello().programs == sorted([*third_party.PROGRAMS, "noop"])
        worker.stream.close()
        worker.exit_status()
        assert "The program broken" in worker.outputs()[1]


def test_shutdown_ends_it_without_finishing_anything() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        worker.send(10)
        worker.listen_to_the_end()
        assert worker.exit_status() == 0


def test_sigterm_ends_it_after_the_running_step() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"stepMs": 300, "steps": 1000}))
        worker.wait_for_entry("started", 1)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status() == 0


def test_sigterm_ends_it_when_it_is_idle() -> None:
    with noop_worker() as worker:
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status() == 0


def test_sigint_is_the_servers_business() -> None:
    with noop_worker() as worker:
        worker.process.send_signal(signal.SIGINT)
        worker.admit(noop_task(1))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_the_end_of_the_stream_ends_it_at_once_even_in_a_step() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"stepMs": 60_000}))
        worker.wait_for_entry("started", 1)
        worker.stream.close()
        assert worker.exit_status() == 0


def test_the_end_of_the_stream_before_hello_ends_it() -> None:
    with WorkerHarness() as worker:
        worker.stream.close()
        assert worker.exit_status() == 0


def test_the_death_of_its_parent_ends_it_even_while_native_code_holds_the_interpreter(
    third_party_variables: dict[str, str],
) -> None:
    script = (
        "import json, sys\n"
        "from tests.support.requests import task\n"
        "from tests.support.worker_harness import WorkerHarness\n"
        "worker = WorkerHarness(variables=json.loads(sys.argv[1]))\n"
        "worker.hello(); worker.load_noop(); worker.admit(task(1, program='hold_interpreter'))\n"
        "worker.wait_for_entry('started', 1)\n"
        "print(worker.process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(third_party_variables)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    descriptor = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    assert ended.poll(WAIT_S_MAX * 1000), "the worker outlived its parent"


def test_stacks_are_printed_on_request_even_while_native_code_holds_the_interpreter(
    third_party_variables: dict[str, str],
) -> None:
    with WorkerHarness(variables=third_party_variables) as worker:
        worker.hello()
        worker.load_noop()
        worker.admit(task(1, program="hold_interpreter"))
        worker.wait_for_entry("started", 1)
        stacks = ""
        # Until the step, which was announced a moment before, is in native code.
        while "third_party.py" not in stacks:
            worker.process.send_signal(signal.SIGUSR1)
            stacks += printed_soon(worker)
        assert "reader.py" in stacks


def test_what_is_written_to_standard_output_becomes_standard_error(third_party_variables: dict[str, str]) -> None:
    with WorkerHarness(variables=third_party_variables) as worker:
        worker.hello()
        worker.load_noop()
        worker.admit(task(1, program="litter"))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        worker.stream.close()
        worker.exit_status()
        out, err = worker.outputs()
        assert out == ""
        assert [line for line in err.splitlines() if line.startswith("littered")] == [
            "littered by print",
            "littered by write",
            "littered by C",
            "littered by a child",
        ]


def test_a_child_does_not_inherit_the_stream_and_the_worker_keeps_to_its_cores(
    third_party_variables: dict[str, str],
) -> None:
    core = min(os.sched_getaffinity(0))
    with WorkerHarness(variables={**third_party_variables, "HEARTH_CORES": str(core)}) as worker:
        worker.hello()
        worker.load_noop()
        worker.admit(task(1, program="look_around"))
        assert worker.wait_for_end_of(1)[1]["output"] == {"childHasStream": False, "cores": [core]}


@pytest.mark.parametrize(
    ("name", "value"), [("HEARTH_EPOCH", "x"), ("HEARTH_EPOCH", "0"), ("HEARTH_THREADS", ""), ("HEARTH_CORES", "1,b")]
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with WorkerHarness(variables={name: value}) as worker:
        worker.listen_to_the_end()
        assert worker.exit_status() == 2
        assert name in worker.outputs()[1]


def test_it_says_so_when_nobody_has_started_it_as_a_worker() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hearth_worker"], env=environment("none", 1), capture_output=True, check=False
    )
    assert ended.returncode == 2
    assert b"cannot start" in ended.stderr


def test_while_it_is_idle_it_sleeps_without_an_alarm() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 4000}))
        worker.wait_for_end_of(1)
        number, *arguments = sleeping_in(worker.process.pid)
        assert number in FUTEX
        timeout = arguments[3]
        assert int(timeout, 16) == 0


# The number of the system call, on x86-64 and on arm64.
FUTEX = ("202", "98")


def sleeping_in(pid: int) -> list[str]:
    """The system call that the main thread sleeps in, and its arguments, once it sleeps."""
    while (call := Path(f"/proc/{pid}/syscall").read_text().split()) == ["running"]:
        pass
    return call


def printed_soon(worker: WorkerHarness) -> str:
    """What is on standard error now, or within a tenth of a second: a signal during a print is lost."""
    assert worker.process.stderr is not None
    descriptor = worker.process.stderr.fileno()
    readable, _, _ = select.select([descriptor], [], [], 0.1)
    return os.read(descriptor, 65536).decode() if readable else ""
