"""The starter text-to-image model, opened in this process, and its programs as a job would use them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxEngine, OnnxModel
from hearth_worker.programs.check_picture import CheckPicture
from hearth_worker.programs.decode_latents import DecodeLatents
from hearth_worker.programs.denoise import Denoise
from hearth_worker.programs.denoise_state import DenoiseRequest, DenoiseState
from hearth_worker.programs.encode_text import EncodeText, EncodeTextRequest
from hearth_worker.programs.outcomes import Advanced, Done
from hearth_worker.programs.upscale_picture import UpscalePicture
from hearth_worker.programs.write_picture import WritePicture
from tests.support.requests import MODELS, load_meta

EMBER = MODELS / "ember"


@cache
def open_ember(threads: int = 1) -> OnnxModel:
    """All components; open until the tests end."""
    meta = load_meta(EMBER, 1)
    manifest = msgspec.convert(meta["manifest"], Manifest)
    engine = OnnxEngine(EngineSettings(threads=threads, wake=lambda: None))
    return engine.load(manifest, EMBER, [each for each in meta["components"] if each != "vae_encoder"])


class Studio:
    """A program of each node of the model's graph."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self.encode = EncodeText(model, ["text_encoder"])
        self.denoise = Denoise(model, ["unet", "preview_decoder", "safety_checker"])
        self.decode = DecodeLatents(model, ["vae_decoder"])
        self.check = CheckPicture(model, ["safety_checker"])
        self.upscale = UpscalePicture(model, ["upscaler"])
        self.write = WritePicture(model, [])

    def encoded(self, prompt: str, negative: str = "") -> Any:
        """What encode_text gives of a prompt."""
        return run_alone(self.encode, EncodeTextRequest(prompt, negative))

    def begin(self, prompt: str, **fields: Any) -> DenoiseState:
        """A picture before its first step."""
        return self.denoise.start_after(denoise_request(**fields), {"encode": self.encoded(prompt)})


@cache
def studio(threads: int = 1) -> Studio:
    """Shared by tests: programs keep nothing of a task."""
    return Studio(open_ember(threads))


def denoise_request(**fields: Any) -> DenoiseRequest:
    """Of a short picture, unless said otherwise."""
    return DenoiseRequest(**({"steps": 6, "guidance": 3.0, "seed": 7, "width": 64, "height": 64} | fields))


def run_alone(program: Any, request: Any, inputs: Mapping[str, object] | None = None) -> Any:
    """The output of a task that nobody shares a step with."""
    return run_to_end(program, program.start(request) if inputs is None else program.start_after(request, inputs))


def run_to_end(program: Any, state: Any) -> Any:
    """From any state of it."""
    for _ in range(10_000):
        outcome = program.step([state])[0]
        if isinstance(outcome, Done):
            return outcome.output
        assert isinstance(outcome, Advanced), outcome
        state = outcome.state
    raise AssertionError("it does not end")


def bytes_of(output: Any, field: str) -> bytes:
    """Of a tensor in an output."""
    return bytes(getattr(output, field).bytes())


def end_all(program: Any, states: Sequence[Any], joins: Mapping[int, int] | None = None) -> list[Any]:
    """Outputs of states that share every step from the one on at which each joins."""
    waiting = dict(enumerate(states))
    outputs: dict[int, Any] = {}
    turn = 0
    while len(outputs) < len(states):
        present = [number for number in waiting if turn >= (joins or {}).get(number, 0)]
        outcomes = program.step([waiting[number] for number in present]) if present else []
        for number, outcome in zip(present, outcomes, strict=True):
            if isinstance(outcome, Done):
                outputs[number] = outcome.output
                del waiting[number]
            else:
                waiting[number] = outcome.state
        turn += 1
    return [outputs[number] for number in range(len(states))]
