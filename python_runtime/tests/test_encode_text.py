"""encode_text on the real model: vectors of prompts, and what of a prompt the model does not know."""

import numpy as np
import pytest

from hearth_worker.programs.encode_text import EncodeTextRequest
from tests.support.ember import bytes_of, end_all, studio

PROMPTS = [
    "noto dog on a blue background",
    "",
    "a police car",
    "a hot dog on white",
    "white " * 40,
    "a cat",
    "noto ufo",
    "a koala on pink",
]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_prompt_has_the_same_bytes_alone_and_in_company(threads: int) -> None:
    alone = [bytes_of(studio().encoded(prompt, "a cat"), "context") for prompt in PROMPTS]
    encode = studio(threads).encode
    states = [encode.start(EncodeTextRequest(prompt, "a cat")) for prompt in PROMPTS]
    assert [bytes_of(output, "context") for output in end_all(encode, states)] == alone
    assert len({encode.batch_key(state) for state in states}) == 1


def test_the_prompt_is_first_and_the_negative_prompt_second() -> None:
    both, turned = studio().encoded("a cat", "a dog"), studio().encoded("a dog", "a cat")
    assert (both.context.dtype, both.context.shape) == ("float32", [2, 16, 192])
    assert np.array_equal(both.context.data, np.asarray(turned.context.data)[::-1])
    assert not np.array_equal(both.context.data, turned.context.data)


def test_words_that_the_model_never_learnt_are_told_as_they_were_written() -> None:
    output = studio().encoded("a Zorb on a BLUE background, blarney zorb", "quux cat")
    assert output.unknown_words == ["Zorb", "blarney", "zorb", "quux"]
    assert studio().encoded("a fire truck on a blue background").unknown_words == []
    assert not output.truncated


def test_a_prompt_that_is_too_long_is_cut_off_and_says_so() -> None:
    long = studio().encoded("a cat " + "white " * 20 + "zorb")
    assert long.truncated
    assert long.unknown_words == ["zorb"], "though it was cut off"
    same = studio().encoded("a cat " + "white " * 30)
    assert bytes_of(long, "context") == bytes_of(same, "context")
    assert studio().encoded("", "a cat " + "white " * 20).truncated


def test_a_prompt_of_just_the_length_is_whole() -> None:
    assert not studio().encoded("cat " * 15).truncated
    assert studio().encoded("cat " * 16).truncated


def test_vectors_of_one_job_keep_no_others_alive() -> None:
    encode = studio().encode
    one, other = end_all(encode, [encode.start(EncodeTextRequest(prompt)) for prompt in ("a cat", "a dog")])
    assert one.context.data.base is None
    assert one.context.data.shape == other.context.data.shape == (2, 16, 192)
