"""From latents to a file: decode_latents, check_picture, upscale_picture and write_picture, on the real model."""

from io import BytesIO
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from hearth_worker.failures import Interrupted, InvalidRequest
from hearth_worker.programs import hand_over, safety_checker
from hearth_worker.programs.check_picture import CheckPictureRequest
from hearth_worker.programs.decode_latents import DecodedPicture, DecodeLatentsRequest
from hearth_worker.programs.outcomes import Advanced, Failed
from hearth_worker.programs.score_cache import ScoreCache
from hearth_worker.programs.upscale_picture import UpscalePictureRequest
from hearth_worker.programs.write_picture import PictureMetadata, WritePictureRequest
from hearth_worker.protocol.tensors import Tensor
from tests.support.ember import bytes_of, end_all, run_alone, studio
from tests.support.pictures import REFERENCE_SCORES, pixels

METADATA = PictureMetadata(
    prompt='a "noto" cat & <dog>,\nçà 猫', seed=7, steps=20, guidance=3.5, model="ember", software="Hearth 1.0"
)


def latents_of(count: int) -> list[Any]:
    """What `count` pictures denoised in one step give: rows of one array."""
    rows = np.random.default_rng(5).standard_normal((count, 4, 16, 16), np.float32)
    return [{"latents": Tensor("float32", row.shape, row)} for row in rows]


def picture(width: int = 64, height: int = 64, seed: int = 1) -> DecodedPicture:
    values = pixels(width, height, seed).transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
    array = np.ascontiguousarray(values)
    return DecodedPicture(Tensor("float32", array.shape, array))


def decoding(outputs: list[Any]) -> list[Any]:
    return [studio().decode.start_after(DecodeLatentsRequest(), {"denoise": output}) for output in outputs]


def test_pictures_of_one_batch_are_decoded_in_one_run_without_a_copy_to_the_bytes_they_have_alone() -> None:
    outputs = latents_of(4)
    alone = [bytes_of(end_all(studio().decode, [state])[0], "picture") for state in decoding(outputs)]
    states = decoding(outputs)
    assert len({studio().decode.batch_key(state) for state in states}) == 1
    before = (hand_over.figures.copied_bytes, hand_over.figures.gathered_bytes)
    decoder = studio().model.components["vae_decoder"]
    with patch.object(decoder, "run", wraps=decoder.run) as run:
        together = end_all(studio().decode, [states[2], states[0], states[3], states[1]])
        assert run.call_count == 1
    assert [bytes_of(together[place], "picture") for place in (1, 3, 0, 2)] == alone
    assert (hand_over.figures.copied_bytes, hand_over.figures.gathered_bytes) == before


def test_latents_of_several_batches_are_decoded_apart_and_none_is_copied() -> None:
    states = decoding([*latents_of(2), *latents_of(2)])
    assert len({studio().decode.batch_key(state) for state in states}) == 2
    before = hand_over.figures.gathered_bytes
    assert len(end_all(studio().decode, states)) == 4
    assert hand_over.figures.gathered_bytes == before


def test_latents_that_are_no_numbers_fail_alone() -> None:
    outputs = latents_of(2)
    outputs[1]["latents"].data[:] = np.nan
    first, second = studio().decode.step(decoding(outputs))
    assert isinstance(second, Failed)
    assert (second.code, "no numbers" in second.message, isinstance(first, Failed)) == ("engine_error", True, False)


def test_scores_are_those_of_classify_image() -> None:
    # The references' pictures without transparency and palettes, as floats of -1 to 1.
    for name, given in (("waves", picture(300, 200, 1)), ("tall waves", picture(97, 411, 4))):
        output = run_alone(studio().check, CheckPictureRequest(), {"decode": given})
        assert output.score == pytest.approx(REFERENCE_SCORES[name], abs=1e-4)
        assert output.checked_by == "open-nsfw"


def test_a_picture_is_looked_at_once_whoever_shows_it() -> None:
    checker = studio().model.components["safety_checker"]
    states = [
        studio().check.start_after(CheckPictureRequest(), {"decode": picture(seed=seed)}) for seed in (8, 9, 8, 9)
    ]
    with (
        patch.object(safety_checker, "known_scores", ScoreCache()),
        patch.object(checker, "run", wraps=checker.run) as run,
    ):
        scores = [output.score for output in end_all(studio().check, states)]
        assert [len(next(iter(call.args[0].values()))) for call in run.call_args_list] == [2]
        assert end_all(studio().check, states[:1])[0].score == scores[0]
        assert run.call_count == 1
    assert scores[:2] == scores[2:]
    assert scores[0] != scores[1]


def test_the_scores_that_are_kept_are_the_newest() -> None:
    cache = ScoreCache(kept=2)
    for key in (b"a", b"b"):
        cache.put(key, 0.5)
    assert cache.get(b"a") == 0.5
    cache.put(b"c", 0.25)
    assert [cache.get(key) for key in (b"a", b"b", b"c")] == [0.5, None, 0.25]
    assert len(cache) == 2


def test_a_score_that_is_no_number_fails_and_is_not_kept() -> None:
    checker = studio().model.components["safety_checker"]
    state = studio().check.start_after(CheckPictureRequest(), {"decode": picture(seed=21)})
    with patch.object(checker, "run", lambda *_: [np.full((1, 2), np.nan, np.float32)]):
        assert isinstance(studio().check.step([state])[0], Failed)
    assert end_all(studio().check, [state])[0].score >= 0


@pytest.mark.parametrize(("factor", "side"), [(2, 32), (4, 64), (8, 128)])
def test_a_picture_is_enlarged_by_powers_of_two_to_the_same_bytes_alone_and_in_company(factor: int, side: int) -> None:
    rows = np.random.default_rng(2).uniform(-1, 1, (3, 3, 16, 16)).astype(np.float32)
    given = [{"picture": Tensor("float32", row.shape, row)} for row in rows]
    alone = [run_alone(studio().upscale, UpscalePictureRequest(factor), {"decode": each}) for each in given]
    states = [studio().upscale.start_after(UpscalePictureRequest(factor), {"decode": each}) for each in given]
    together = end_all(studio().upscale, states)
    assert [bytes_of(each, "picture") for each in together] == [bytes_of(each, "picture") for each in alone]
    assert alone[0].picture.shape == [3, side, side]


@pytest.mark.parametrize("factor", [1, 3, 6])
def test_other_factors_are_refused(factor: int) -> None:
    with pytest.raises(InvalidRequest, match="2 times larger"):
        studio().upscale.start_after(UpscalePictureRequest(factor), {"decode": picture()})


def test_only_what_a_state_has_made_itself_is_its_memory() -> None:
    state = studio().upscale.start_after(UpscalePictureRequest(4), {"decode": picture()})
    assert studio().upscale.state_bytes(state) == 0
    outcome = studio().upscale.step([state])[0]
    assert isinstance(outcome, Advanced)
    assert studio().upscale.state_bytes(outcome.state) == 3 * 128 * 128 * 4


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_file_shows_the_picture_and_says_how_it_was_made(kind: Any) -> None:
    request = WritePictureRequest(kind, METADATA)
    output = run_alone(studio().write, request, {"decode": picture(40, 24)})
    assert (output.mime_type, output.width, output.height) == (f"image/{kind}", 40, 24)
    data = bytes_of(output, "picture")
    assert data == bytes_of(run_alone(studio().write, request, {"decode": picture(40, 24)}), "picture")
    image = Image.open(BytesIO(data))
    assert (image.format, image.size) == (kind.upper(), (40, 24))
    difference = np.abs(np.asarray(image, np.int16) - pixels(40, 24, 1))
    assert difference.max() == 0 if kind == "png" else difference.mean() < 30
    told = image.info if kind == "png" else attributes(image.info["xmp"])
    assert told == {
        "prompt": METADATA.prompt,
        "seed": "7",
        "steps": "20",
        "guidance": "3.5",
        "model": "ember",
        "Software" if kind == "png" else "software": "Hearth 1.0",
    }


def test_control_characters_do_no_harm_to_a_file() -> None:
    request = WritePictureRequest("webp", PictureMetadata(prompt="a\0b\x1bc\ud800\n"))
    output = run_alone(studio().write, request, {"decode": picture(8, 8)})
    assert attributes(Image.open(BytesIO(bytes_of(output, "picture"))).info["xmp"]) == {"prompt": "abc\n"}
    request = WritePictureRequest("png", PictureMetadata(prompt="a\0b\x1bc\ud800\n"))
    output = run_alone(studio().write, request, {"decode": picture(8, 8)})
    assert Image.open(BytesIO(bytes_of(output, "picture"))).info == {"prompt": "abc\n"}


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_whatever_people_write_stands_in_a_file(kind: Any) -> None:
    prompt = "猫\u3000犬\ta\u00a0b 👩\u200d🚀 re\u00adsume \u2028 \ue000"
    request = WritePictureRequest(kind, PictureMetadata(prompt=f"\ufffe{prompt}\uffff\x85"))
    info = Image.open(BytesIO(bytes_of(run_alone(studio().write, request, {"decode": picture(8, 8)}), "picture"))).info
    assert (info if kind == "png" else attributes(info["xmp"])) == {"prompt": prompt}


def test_the_upscaled_picture_is_written_where_there_is_one() -> None:
    inputs = {"decode": picture(), "upscale": picture(128, 128)}
    output = run_alone(studio().write, WritePictureRequest("png"), inputs)
    assert (output.width, output.height) == (128, 128)


@pytest.mark.parametrize("node", ["decode", "check", "upscale"])
def test_every_program_that_computes_can_be_interrupted(node: str) -> None:
    programs: dict[str, tuple[Any, Any, str]] = {
        "decode": (studio().decode, DecodeLatentsRequest(), "vae_decoder"),
        "check": (studio().check, CheckPictureRequest(), "safety_checker"),
        "upscale": (studio().upscale, UpscalePictureRequest(2), "upscaler"),
    }
    program, request, component = programs[node]
    state = program.start_after(request, {"before": latents_of(1)[0] if node == "decode" else picture(seed=33)})

    def end_the_run(*_: Any) -> Any:
        program.interrupt()
        raise RuntimeError("Exiting due to terminate flag being set to true.")

    with patch.object(studio().model.components[component], "run", end_the_run), pytest.raises(Interrupted):
        program.step([state])
    program.clear_interrupt()
    assert end_all(program, [state])


def attributes(packet: bytes) -> dict[str, str]:
    """Of the description in an XMP packet."""
    description = next(
        iter(ElementTree.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"))
    )
    prefix = "{urn:hearth:picture:}"
    return {name.removeprefix(prefix): value for name, value in description.items() if name.startswith(prefix)}
