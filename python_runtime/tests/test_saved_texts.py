"""How texts are noted, written down and asked for again; without an engine."""

import json
from typing import Any

import msgspec
import pytest

from hearth_worker.engines.text_request import PromptReader, TextRequest, front_of
from hearth_worker.engines.text_stream import Delta, TextStream
from hearth_worker.programs.saved_text import read_back, write_down
from hearth_worker.programs.text_state import GenerateTextRequest, Message, TextState, joined, left_off

ASKED = GenerateTextRequest([Message("user", "Hello?")], max_tokens=9, temperature=0, top_p=1)
SETTINGS = {"max_tokens": 5, "stop": ["!"]}
WRITTEN = TextState(ASKED, text="ab🎉", written=(7, "b🎉"), tokens_written=5, prompt_tokens=30)


def test_a_chunk_of_one_token_is_noted_by_its_id_and_one_of_several_by_its_text() -> None:
    deltas = [
        Delta(prompt_tokens=30, completion_tokens=0),
        Delta("a", 30, 1, token=7),
        Delta("b🎉", 30, 5, token=8),
        Delta("", 30, 6, token=9),
        Delta("c", 30, 7),
        Delta("", 30, 8),
    ]
    state = joined(TextState(ASKED), deltas)
    assert (state.text, state.written, state.read) == ("ab🎉c", (7, "b🎉", "c"), 6)
    assert (state.prompt_tokens, state.tokens_written, state.completion_tokens) == (30, 7, 8)


def test_a_token_that_shows_nothing_is_written_again() -> None:
    """For it may be the one that ends the text."""
    state = joined(TextState(ASKED), [Delta("a", 30, 1, token=7), Delta("", 30, 2, token=2)])
    left = left_off(state)
    assert (state.completion_tokens, left.completion_tokens, left.tokens_before) == (2, 1, 1)
    assert left.written == (7,)


def test_what_was_there_before_is_no_part_of_the_prompt_and_counts_on() -> None:
    before = read_back(ASKED, write_down(WRITTEN))
    state = joined(before, [Delta(prompt_tokens=35, completion_tokens=0), Delta("c", 35, 1, token=9)])
    assert (state.text, state.written) == ("ab🎉c", (7, "b🎉", 9))
    assert (state.prompt_tokens, state.completion_tokens) == (30, 6)


def test_a_saved_text_belongs_to_its_messages_and_version() -> None:
    saved = write_down(WRITTEN)
    with pytest.raises(ValueError, match="other messages"):
        read_back(msgspec.structs.replace(ASKED, messages=[]), saved)
    with pytest.raises(ValueError, match="version 2"):
        read_back(ASKED, msgspec.msgpack.encode([2, *msgspec.msgpack.decode(saved)[1:]]))
    for broken in (b"", b"\x93", saved[:-1]):
        with pytest.raises(ValueError):  # noqa: PT011  (msgspec has its own words)
            read_back(ASKED, broken)


def test_a_text_goes_on_after_its_prompt_with_the_stop_strings_of_its_template() -> None:
    request = TextRequest([], SETTINGS, written=(7, "b"), text="ab")
    asked = json.loads(request.from_where_it_was("<user>Hello?<assistant>ab", ["!", "<end>"]))
    assert asked["prompt"] == ["<user>Hello?<assistant>", 7, "b"]
    assert (asked["stop"], asked["max_tokens"]) == (["!", "<end>"], 5)


def test_where_a_template_changes_the_answer_its_words_count() -> None:
    request = TextRequest([], SETTINGS, written=(7, "b "), text="ab ")
    assert json.loads(request.from_where_it_was("<assistant>ab", []))["prompt"] == ["<assistant>ab"]


@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        ([], [("assistant", "ab")]),
        ([("user", "Hello?")], [("user", "Hello?"), ("assistant", "ab")]),
        ([("user", "Hello?"), ("assistant", "Oh, ")], [("user", "Hello?"), ("assistant", "Oh, ab")]),
    ],
)
def test_its_prompt_is_asked_for_with_the_answer_so_far(messages: Any, asked: Any) -> None:
    request = TextRequest([{"role": role, "content": content} for role, content in messages], SETTINGS, (7,), "ab")
    question = json.loads(request.for_its_prompt())
    assert [(message["role"], message["content"]) for message in question["messages"]] == asked
    assert (question["max_tokens"], question["stop"]) == (0, ["!"])


@pytest.mark.parametrize(("prompt", "front"), [("a", ""), ("<s>a", "<s>"), ("<s> a", "<s>")])
def test_what_a_tokenizer_puts_before_each_prompt_is_known(prompt: str, front: str) -> None:
    assert front_of(json.dumps({"__verbose": {"prompt": prompt}}).encode()) == front


def test_an_engine_that_tells_no_prompt_is_taken_to_put_nothing_before_it() -> None:
    assert front_of(b'{"error": {"message": "no"}}') == ""


def test_who_asks_for_a_prompt_hears_it_or_why_not_and_may_be_cancelled() -> None:
    stream = TextStream(lambda: None)
    reader = PromptReader(stream)
    assert not reader.take_chunk(b'{"choices": []}')
    told = {"__verbose": {"prompt": "<s>Hello?", "generation_settings": {"stop": ["<end>"]}}}
    assert not reader.take_chunk(json.dumps(told).encode())
    assert (reader.prompt, reader.stop) == ("<s>Hello?", ["<end>"])
    reader.take_chunk(b'{"error": {"message": "too long", "code": 400}}')
    assert stream.refused is not None
    stream.cancel()
    assert reader.take_chunk(b'{"choices": []}')


def test_a_stream_that_is_left_stops_in_a_long_prompt_but_not_right_before_its_end() -> None:
    stream = TextStream(lambda: None)
    near, far = (json.dumps({"prompt_progress": {"total": 300, "processed": at}}).encode() for at in (172, 171))
    assert not PromptReader(stream).take_chunk(far)
    stream.leave()
    assert not stream.take_chunk(near)
    assert stream.take_chunk(far)
    assert not PromptReader(stream).take_chunk(near)
    assert PromptReader(stream).take_chunk(far)
    assert not PromptReader(stream).take_chunk(chunk_of("a")), "it is not the text's"


def test_a_stream_that_is_left_takes_the_first_text_and_what_ends_it_but_nothing_more() -> None:
    stream = TextStream(lambda: None)
    stream.leave()
    assert [stream.take_chunk(chunk_of(text)) for text in ("", "", "a", "b")] == [False, False, False, True]
    ended = TextStream(lambda: None)
    ended.take_chunk(chunk_of("a"))
    ended.leave()
    assert not ended.take_chunk(chunk_of("", finish_reason="stop"))
    assert not ended.take_chunk(b'{"usage": {"prompt_tokens": 3, "completion_tokens": 2}}')
    assert [delta.text for delta in stream.deltas] == ["", "", "a"]
    assert (ended.finish_reason, ended.deltas[-1].completion_tokens) == ("stop", 2)


def chunk_of(text: str, **choice: Any) -> bytes:
    """A piece of a chat's answer."""
    return json.dumps({"choices": [{"delta": {"content": text}, **choice}]}).encode()
