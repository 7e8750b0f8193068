"""Programs in folders of their own: found, typed, reloaded when their files change, and clear about what is wrong."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hearth_worker.programs.known_programs import KnownPrograms
from hearth_worker.programs.program_file import BrokenProgram
from hearth_worker.protocol.reports import Error, Hello
from tests.support.requests import MODELS, task
from tests.support.worker_harness import WorkerHarness

EXAMPLES = MODELS.parent / "examples" / "programs"

GREETER = """
from msgspec import Struct
from hearth_worker.programs.files import ProgramOutput
from hearth_worker.programs.one_step import OneStep
from .words import GREETING

class Parameters(Struct):
    name: str

class Request(Struct):
    parameters: Parameters

class Greet(OneStep[Request, ProgramOutput]):
    request_type = Request

    def run(self, request):
        return ProgramOutput(GREETING + " " + request.parameters.name)

PROGRAMS = {"greet": Greet}
"""


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    folder = tmp_path / "own" / "greeter"
    folder.mkdir(parents=True)
    (folder / "program.py").write_text(GREETER)
    (folder / "words.py").write_text("GREETING = 'Hello'\n")
    return folder


@pytest.fixture
def example() -> Iterator[WorkerHarness]:
    with WorkerHarness(variables={"HEARTH_PROGRAM_PATHS": str(EXAMPLES)}) as worker:
        worker.load(EXAMPLES / "palette")
        yield worker


def test_the_example_tells_the_colours_of_a_picture(example: WorkerHarness, tmp_path: Path) -> None:
    picture = Image.new("RGB", (10, 10), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 0, 10, 3))
    picture.save(tmp_path / "picture", "PNG")
    files = [{"path": str(tmp_path / "picture"), "mimeType": "image/png", "sizeBytes": 99}]
    example.admit(program_task(1, "palette", {"colours": 2}, artifacts=files))
    for entry, payload in example.entries():
        if entry["kind"] == "done":
            output = entry["output"]
            assert output["values"] == {
                "colours": [{"colour": "#ff0000", "share": 0.7}, {"colour": "#0000ff", "share": 0.3}]
            }
            [file] = output["artifacts"]
            assert file["mimeType"] == "image/png"
            assert Image.open(BytesIO(example.bytes_of(file["data"], payload))).size == (128, 64)
            return


@pytest.mark.parametrize(
    ("parameters", "artifacts", "code", "words"),
    [
        ({"colours": 17}, [], "invalid_request", "`parameters.colours`: Expected `int` <= 16."),
        ({"colours": "many"}, [], "invalid_request", "`parameters.colours`: Expected `int`, got `str`."),
        ({"colors": 3}, [], "invalid_request", "`parameters`: Object contains unknown field `colors`."),
        ({}, [], "invalid_request", "Give one picture in `artifactIds`"),
        ({}, [{"path": "/nowhere/else"}], "artifact_missing", "/nowhere/else no longer exists"),
        ({}, [{"path": __file__}], "invalid_request", "no picture that can be read"),
    ],
)
def test_what_is_wrong_with_a_request_is_told_by_the_name_of_its_parameter(
    example: WorkerHarness, parameters: dict[str, Any], artifacts: list[dict[str, Any]], code: str, words: str
) -> None:
    example.admit(program_task(1, "palette", parameters, artifacts=artifacts))
    end = example.wait_for_end_of(1)[1]
    assert end["code"] == code
    assert words in end["message"]


def test_a_changed_file_counts_from_the_next_task_on(greeter: Path) -> None:
    variables = {"HEARTH_PROGRAM_PATHS": str(greeter.parent), "HEARTH_PROGRAM_RELOAD": "on"}
    with WorkerHarness(variables=variables) as worker:
        assert "greet" in worker.wait_for(Hello).programs
        load_greeter(worker)
        assert greeting(worker, 1) == "Hello you"
        # Same length, same second: nothing but the content tells.
        (greeter / "program.py").write_text(GREETER.replace('" " +', '"_" +'))
        assert greeting(worker, 3) == "Hello_you"
        (greeter / "words.py").write_text("GREETING = 'Howdy'\n")
        assert greeting(worker, 4) == "Howdy_you"


def test_a_task_that_has_begun_ends_with_the_program_it_began_with(greeter: Path) -> None:
    counter = GREETER.replace('PROGRAMS = {"greet": Greet}', COUNTER)
    (greeter / "program.py").write_text(counter)
    variables = {"HEARTH_PROGRAM_PATHS": str(greeter.parent), "HEARTH_PROGRAM_RELOAD": "on"}
    with WorkerHarness(variables=variables) as worker:
        load_greeter(worker, "count")
        worker.admit(program_task(1, "count", {"name": str(greeter / "go")}))
        worker.wait_for_entry("step", 1)
        (greeter / "program.py").write_text(counter.replace("'old'", "'new'"))
        worker.acknowledged(worker.admit(program_task(2, "count", {"name": str(greeter / "go")})))
        (greeter / "go").touch()
        ends = worker.wait_for_end_of(1, 2)
        assert [ends[number]["output"]["values"] for number in (1, 2)] == ["old", "new"]


def test_a_file_that_cannot_be_imported_fails_tasks_until_it_can(greeter: Path) -> None:
    variables = {"HEARTH_PROGRAM_PATHS": str(greeter.parent), "HEARTH_PROGRAM_RELOAD": "on"}
    with WorkerHarness(variables=variables) as worker:
        load_greeter(worker)
        mistakes = {
            "def (": "line 1",
            "import nothing_of_that_name": "nothing_of_that_name",
            "raise SystemExit(3)": "SystemExit",
            "greet = 1": "has no PROGRAMS",
            "PROGRAMS = {'greet': 1}": "cannot be called",
            "PROGRAMS = {'greet': dict}": "promise",
            "PROGRAMS = {'Greet!': dict}": "'Greet!'",
        }
        for number, (source, words) in enumerate(mistakes.items(), 1):
            (greeter / "program.py").write_text(source)
            worker.admit(greet_task(number))
            end = worker.wait_for_end_of(number)[number]
            assert end["code"] == "engine_error"
            assert str(greeter / "program.py") in end["message"]
            assert words in end["message"]
        (greeter / "program.py").write_text(GREETER)
        assert greeting(worker, 99) == "Hello you"


def test_without_the_setting_a_changed_file_waits_for_the_next_worker(greeter: Path) -> None:
    with WorkerHarness(variables={"HEARTH_PROGRAM_PATHS": str(greeter.parent)}) as worker:
        load_greeter(worker)
        (greeter / "program.py").write_text("broken")
        assert greeting(worker, 1) == "Hello you"


@pytest.mark.parametrize("place", ["__init__", "start", "run"])
def test_a_library_that_asks_for_the_end_of_the_process_ends_no_worker(greeter: Path, place: str) -> None:
    exiting = f"Greet.{place} = lambda *given: exit('usage: greet')\n"
    (greeter / "program.py").write_text(GREETER + "from sys import exit\n" + exiting)
    with WorkerHarness(variables={"HEARTH_PROGRAM_PATHS": str(greeter.parent)}) as worker:
        manifest = {"name": "greeter", "engine": "none", "components": [], "graph": []}
        worker.answer_to(worker.send(1, {"model": 1, "manifest": manifest, "directory": "/", "components": []}))
        for number in (1, 2):
            worker.admit(greet_task(number))
            end = worker.wait_for_end_of(number)[number]
            assert end["code"] == "engine_error"
            assert "SystemExit: usage: greet" in end["message"]


def test_who_names_a_programs_own_folder_is_told_to_name_the_one_above(
    greeter: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "greet" not in KnownPrograms("none", [str(greeter)])
    assert "Name the folder above it" in caplog.text


def test_code_in_a_models_folder_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    manifest = {"name": "m", "engine": "none", "components": [], "graph": [{"program": "palette"}]}
    with WorkerHarness() as worker:
        meta = {"model": 1, "manifest": manifest, "directory": str(tmp_path), "components": []}
        refused = worker.answer_to(worker.send(1, meta))
    assert isinstance(refused, Error)
    assert "no program 'palette'" in refused.message
    assert "HEARTH_PROGRAM_PATHS" in refused.message
    assert not (tmp_path / "ran").exists()


def test_installed_programs_come_first_and_then_the_first_folder(
    greeter: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "more" / "greeter"
    other.mkdir(parents=True)
    (other / "program.py").write_text(
        GREETER.replace("from .words import GREETING", "GREETING = ''").replace(
            '{"greet": Greet}', '{"greet": Greet, "noop": Greet, "other": Greet}'
        )
    )
    known = KnownPrograms("none", [str(greeter.parent), str(other.parent), str(tmp_path / "nothing")])
    assert {"greet", "noop", "other"} <= set(known)
    assert known["greet"].__module__ != known["other"].__module__
    assert known["noop"].__module__ == "hearth_worker.programs.noop"
    for words in ("another program greet", "another program noop", "nothing holds a program.py"):
        assert words in caplog.text


def test_a_folder_that_is_broken_from_the_start_says_so_to_whoever_asks(greeter: Path) -> None:
    (greeter / "program.py").write_text("def (")
    known = KnownPrograms("none", [str(greeter.parent)])
    assert "noop" in known
    with pytest.raises(BrokenProgram, match="line 1"):
        known.get("greet")


COUNTER = """
from pathlib import Path
from hearth_worker.programs.outcomes import Advanced, Done, Progress

GOING_ON = Progress(1, None, "steps")

class Count(OneStep[Request, ProgramOutput]):
    request_type = Request

    def step(self, states):
        return [
            Done(ProgramOutput('old')) if Path(state.parameters.name).exists() else Advanced(state, GOING_ON)
            for state in states
        ]

PROGRAMS = {"count": Count}
"""


def program_task(number: int, name: str, parameters: dict[str, Any], **request: Any) -> dict[str, Any]:
    """As the server sends a task of kind `program`."""
    return task(number, program=name, request={"name": name, "parameters": parameters, **request})


def greet_task(number: int) -> dict[str, Any]:
    """A task that greets."""
    return program_task(number, "greet", {"name": "you"})


def greeting(worker: WorkerHarness, number: int) -> Any:
    """Runs a task that greets."""
    worker.admit(greet_task(number))
    end = worker.wait_for_end_of(number)[number]
    assert end["kind"] == "done", end
    return end["output"]["values"]


def load_greeter(worker: WorkerHarness, program: str = "greet") -> None:
    """A model without weights that runs it."""
    manifest = {"name": "greeter", "engine": "none", "components": [], "graph": [{"program": program}]}
    worker.answer_to(worker.send(1, {"model": 1, "manifest": manifest, "directory": "/", "components": []}))
    worker.set_policy(1, 4)
