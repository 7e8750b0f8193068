"""Graphs that are not what a program computes with are refused in words when the model is loaded."""

from collections.abc import Sequence
from typing import Any

import pytest

from hearth_worker.failures import LoadFailed
from hearth_worker.programs.check_picture import CheckPicture
from hearth_worker.programs.decode_latents import DecodeLatents
from hearth_worker.programs.denoise import Denoise
from hearth_worker.programs.encode_text import EncodeText
from hearth_worker.programs.graph_ports import check_ports
from hearth_worker.programs.upscale_image import UpscaleImage
from hearth_worker.programs.upscale_picture import UpscalePicture
from tests.support.ember import open_ember


@pytest.mark.parametrize(
    ("program", "components", "words"),
    [
        (EncodeText, ["vae_decoder"], "'vae_decoder' should take 'input_ids' of 2 axes, not 'latents' of 4 axes"),
        (Denoise, ["vae_decoder"], "should take 'latents' of 4 axes, 'times' of 1 axes, 'context' of 3 axes, not"),
        (DecodeLatents, ["upscaler"], "should take 'latents' of 4 axes, not 'picture' of 4 axes"),
        (UpscalePicture, ["unet"], "should take 'picture' of 4 axes, not 'latents' of 4 axes, 'times'"),
        (UpscaleImage, ["preview_decoder"], "should take 'picture' of 4 axes, not 'latents'"),
        (CheckPicture, ["text_encoder"], "the graph takes input_ids"),
    ],
)
def test_a_component_of_another_kind_is_refused(program: Any, components: Sequence[str], words: str) -> None:
    with pytest.raises(LoadFailed, match=words):
        program(open_ember(), components)


@pytest.mark.parametrize("program", [EncodeText, Denoise, DecodeLatents, UpscalePicture, UpscaleImage, CheckPicture])
def test_a_node_without_components_is_refused(program: Any) -> None:
    with pytest.raises(LoadFailed, match="names no component"):
        program(open_ember(), [])


def test_outputs_that_nobody_takes_do_no_harm_and_missing_or_flat_ones_are_told() -> None:
    decoder = open_ember().components["vae_decoder"]
    check_ports(decoder, {"latents": 4}, {"picture": 4})
    with pytest.raises(LoadFailed, match="should give 'velocity' of 4 axes, not 'picture' of 4 axes"):
        check_ports(decoder, {"latents": 4}, {"velocity": 4})
    with pytest.raises(LoadFailed, match="should give 'picture' of 3 axes, not 'picture' of 4 axes"):
        check_ports(decoder, {"latents": 4}, {"picture": 3})
