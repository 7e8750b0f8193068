"""Texts that are left and gone on with, on the real language model in this process."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import msgspec
import pytest

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.llama_cpp import LlamaCppEngine, LlamaCppModel
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.text_request import PromptReader
from hearth_worker.engines.text_stream import TextStream
from hearth_worker.programs.generate_text import GenerateText, GenerateTextOutput, _text_request
from hearth_worker.programs.outcomes import Advanced, Done
from hearth_worker.programs.text_state import GenerateTextRequest, Message, TextState
from tests.support.listener import WAIT_S_MAX
from tests.support.requests import MODELS, load_meta

SMOLLM = MODELS / "smollm2-135m-instruct"
# Line breaks that are one token or two, characters of several tokens, and plain words.
PROMPTS = [
    "Write a python function that sums a list.",
    "Repeat exactly: 日本語 🎉🌈 日本語 🎉🌈",
    "List three fruits, one per line, with two blank lines between.",
]
MAX_TOKENS = 24


class Writer:
    """Takes the steps of one text after the other, as the loop does. One text at a time has a slot."""

    def __init__(self) -> None:
        self._woken = Event()
        manifest = load_meta(SMOLLM, 1, options={"slots": 1, "contextTokens": 256})["manifest"]
        engine = LlamaCppEngine(EngineSettings(threads=1, wake=self._woken.set))
        self.model: LlamaCppModel = engine.load(msgspec.convert(manifest, Manifest), SMOLLM, ["language-model"])
        self.program = GenerateText(self.model, ["language-model"])

    def write(self, state: TextState, *, tokens: int | None = None) -> tuple[TextState, GenerateTextOutput | None, str]:
        """Until there are so many tokens, or to the end: the state, the output at the end, and what was shown."""
        shown = ""
        while tokens is None or state.completion_tokens < tokens:
            self.wait_until_ready(state)
            (outcome,) = self.program.step([state])
            assert isinstance(outcome, Advanced | Done), outcome
            shown += "".join(piece.text for piece in outcome.pieces)
            if isinstance(outcome, Done):
                return state, outcome.output, shown
            state = outcome.state
        return state, None, shown

    def begun(self, request: GenerateTextRequest) -> TextState:
        """Its engine has been asked."""
        return self.begun_again(self.program.start(request))

    def begun_again(self, state: TextState) -> TextState:
        """After what its last stream has brought."""
        while state.stream is None or state.stream.is_left:
            (outcome,) = self.program.step([state])
            assert isinstance(outcome, Advanced), outcome
            state = outcome.state
        return state

    def left(self, request: GenerateTextRequest, *, tokens: int) -> tuple[TextState, str]:
        """With so many tokens, and without a stream: the state and what was shown."""
        state, _, shown = self.write(self.program.start(request), tokens=tokens)
        state = self.program.suspend(state)
        self.wait_for_the_engine(state)
        (outcome,) = self.program.step([state])
        assert isinstance(outcome, Advanced)
        return outcome.state, shown + "".join(piece.text for piece in outcome.pieces)

    def wait_until_ready(self, state: TextState) -> None:
        """For a step."""
        while not self.program.ready(state):
            assert self._woken.wait(WAIT_S_MAX)
            self._woken.clear()

    def wait_for_the_engine(self, state: TextState) -> None:
        """Until it writes no more."""
        assert state.stream is not None
        while not state.stream.is_ended:
            assert self._woken.wait(WAIT_S_MAX)
            self._woken.clear()

    def undisturbed(self, request: GenerateTextRequest) -> GenerateTextOutput:
        """Its output when nobody stops it."""
        _, output, _ = self.write(self.program.start(request))
        assert output is not None
        return output

    def in_pieces(self, request: GenerateTextRequest, tokens: int) -> tuple[GenerateTextOutput, str]:
        """With a pause after each so many tokens: the output, and all that was shown."""
        state, output, shown = self.write(self.program.start(request), tokens=tokens)
        while output is None:
            state = self.program.suspend(state)
            state, output, more = self.write(state, tokens=state.completion_tokens + tokens)
            shown += more
        return output, shown


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    writer = Writer()
    yield writer
    writer.model.close()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_text_that_is_paused_again_and_again_is_the_undisturbed_one(writer: Writer, prompt: str) -> None:
    request = greedy(prompt)
    output, shown = writer.in_pieces(request, 1)
    assert output == writer.undisturbed(request)
    assert shown == output.text
    assert "\ufffd" not in shown


def test_stop_strings_across_a_pause_end_it(writer: Writer) -> None:
    text = writer.undisturbed(greedy(PROMPTS[0])).text
    # Ten characters from the middle of a word: of several tokens, the first and last cut.
    request = greedy(PROMPTS[0], stop=[text[41:51]])
    output, shown = writer.in_pieces(request, 1)
    assert (output.finish_reason, output.text) == ("stop", text[:41])
    assert shown == output.text


def test_a_saved_text_goes_on_in_a_fresh_engine_and_is_told_from_its_beginning(writer: Writer) -> None:
    request = greedy(PROMPTS[1])
    undisturbed = writer.undisturbed(request)
    state, output, shown = writer.write(writer.program.start(request), tokens=9)
    assert output is None
    saved = writer.program.save(state)
    writer.program.release(state)
    assert len(saved) < 200
    another = Writer()
    try:
        restored = another.program.restore(request, saved)
        assert restored.text == shown
        _, output, told = another.write(restored)
    finally:
        another.model.close()
    assert output == undisturbed
    assert told == undisturbed.text


def test_what_is_gone_on_with_is_given_by_token_ids_and_comes_from_the_prompt_cache(writer: Writer) -> None:
    # It ends in two line breaks, which the tokenizer would make one token of.
    left, shown = writer.left(greedy(PROMPTS[0]), tokens=20)
    assert shown.endswith("\n\n")
    request = _text_request(left)
    assert all(isinstance(each, int) for each in request.written)
    reader = PromptReader(TextStream(lambda: None))
    writer.model._server.handle_chat_completions(request.for_its_prompt(), reader.take_chunk)
    assert reader.prompt is not None
    chunks: list[Any] = []
    writer.model._server.handle_completions(
        request.from_where_it_was(reader.prompt, reader.stop), lambda data: chunks.append(msgspec.json.decode(data))
    )
    taken, computed = (chunks[-1]["timings"][name] for name in ("cache_n", "prompt_n"))
    assert taken + computed == left.prompt_tokens + left.completion_tokens
    assert computed <= 3


def test_a_suspended_text_leaves_its_slot_to_others(writer: Writer) -> None:
    request = greedy(PROMPTS[2])
    state, _, shown = writer.write(writer.program.start(request), tokens=5)
    suspended = writer.program.suspend(state)
    other = writer.undisturbed(greedy("Name three colours of the rainbow."))
    assert other.completion_tokens > 0
    _, output, rest = writer.write(suspended)
    assert output == writer.undisturbed(request)
    assert shown + rest == output.text


def test_a_text_that_is_cancelled_while_it_is_suspended_keeps_what_was_shown(writer: Writer) -> None:
    state, _, shown = writer.write(writer.program.start(greedy(PROMPTS[0])), tokens=6)
    suspended = writer.program.suspend(state)
    kept = writer.program.keep(suspended)
    writer.program.release(suspended)
    assert (kept.text, kept.finish_reason, kept.completion_tokens) == (shown, "cancelled", 6)
    assert writer.program.state_bytes(suspended) > len(shown)


def test_what_the_engine_wrote_before_it_stopped_is_shown_first(writer: Writer) -> None:
    begun = writer.begun(greedy(PROMPTS[0]))
    writer.wait_until_ready(begun)
    writer.program.suspend(begun)
    writer.wait_for_the_engine(begun)
    (outcome,) = writer.program.step([begun])
    assert isinstance(outcome, Advanced)
    assert outcome.state.stream is None
    assert outcome.state.text == "".join(piece.text for piece in outcome.pieces) != ""


@pytest.mark.parametrize("words", [0, 180])
def test_a_text_that_is_left_while_its_prompt_is_read_is_written_all_the_same(writer: Writer, words: int) -> None:
    request = greedy("word " * words + PROMPTS[0], maxTokens=8)
    state = writer.begun(request)
    for _ in range(3):
        writer.program.suspend(state)
        writer.wait_for_the_engine(state)
        state = writer.begun_again(state)
    _, output, _ = writer.write(state)
    assert output is not None
    assert output.text == writer.undisturbed(request).text


def test_a_text_that_has_shown_nothing_begins_again(writer: Writer) -> None:
    request = greedy(PROMPTS[0])
    assert writer.program.suspend(writer.program.start(request)) == TextState(request)
    begun = writer.begun(request)
    assert writer.program.restore(request, writer.program.save(begun)) == TextState(request)
    writer.program.release(begun)


def test_a_text_that_was_left_at_its_last_token_is_done(writer: Writer) -> None:
    longer = greedy(PROMPTS[0], maxTokens=30)
    state, output, _ = writer.write(writer.program.start(longer), tokens=7)
    assert output is None
    # The engine may have been quicker than the reader: as many tokens as there are by now are the whole text.
    request = greedy(PROMPTS[0], maxTokens=state.completion_tokens)
    restored = writer.program.restore(request, writer.program.save(state))
    _, output, told = writer.write(restored)
    assert output == writer.undisturbed(request)
    assert told == output.text
    writer.program.release(state)


def test_a_text_that_the_engine_has_finished_when_it_is_left_ends(writer: Writer) -> None:
    request = greedy(PROMPTS[0], maxTokens=5)
    state, _, shown = writer.write(writer.program.start(request), tokens=2)
    writer.wait_for_the_engine(state)
    _, output, rest = writer.write(writer.program.suspend(state))
    assert output == writer.undisturbed(request)
    assert shown + rest == output.text


def test_a_text_that_filled_the_context_when_it_was_left_ends_there(writer: Writer) -> None:
    request = greedy("word " * 200, maxTokens=500)
    state = TextState(request, text="word" * 60, written=("word",) * 60, tokens_written=60, prompt_tokens=230)
    _, output, _ = writer.write(writer.program.restore(request, writer.program.save(state)))
    assert output is not None
    assert (output.finish_reason, output.text) == ("length", state.text)


def test_the_answer_that_the_messages_begin_themselves_goes_on(writer: Writer) -> None:
    messages = [Message("user", "Name a colour."), Message("assistant", "My favourite colour is")]
    request = GenerateTextRequest(messages, MAX_TOKENS, temperature=0, top_p=1, seed=1)
    output, _ = writer.in_pieces(request, 3)
    assert output == writer.undisturbed(request)


def test_what_was_sampled_stays_as_well(writer: Writer) -> None:
    output, shown = writer.in_pieces(greedy("Tell me a story.", temperature=1.2, seed=7), 5)
    assert shown == output.text
    assert output.completion_tokens <= MAX_TOKENS


def greedy(prompt: str, **changes: Any) -> GenerateTextRequest:
    """Without chance, and short, unless said otherwise."""
    request = {"messages": [{"role": "user", "content": prompt}], "maxTokens": MAX_TOKENS, "temperature": 0, "topP": 1}
    return msgspec.convert({**request, "seed": 1, **changes}, GenerateTextRequest)
