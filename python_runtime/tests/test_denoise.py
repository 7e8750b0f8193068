"""denoise on the real model: a picture's bytes are its own, in any company and wherever it is broken off."""

from threading import Timer
from typing import Any

import numpy as np
import pytest

from hearth_worker.failures import InputMissing, Interrupted, InvalidRequest
from hearth_worker.programs.denoise_state import DenoiseState
from hearth_worker.programs.encode_text import EncodeTextRequest
from hearth_worker.programs.outcomes import Advanced, Done, Progress
from hearth_worker.programs.saved_latents import BrokenCheckpoint
from hearth_worker.programs.side_by_side import place_of
from tests.support.ember import (
    Studio,
    bytes_of,
    denoise_request,
    end_all,
    run_alone,
    run_to_end,
    studio,
)
from tests.support.unet_calls import watched_unet

# Prompt, steps, guidance and seed of pictures that differ in all of them.
DIFFERENT = [
    ("noto dog on a blue background", 3, 3.0, 1),
    ("a noto apple on white", 5, 1.0, 2),
    ("a cat", 1, 7.5, 3),
    ("a noto hammer on white", 2, 0.0, 4),
    ("", 3, 1.5, 5),
]


def different(studio: Studio) -> list[DenoiseState]:
    return [
        studio.begin(prompt, steps=steps, guidance=guidance, seed=seed) for prompt, steps, guidance, seed in DIFFERENT
    ]


def test_a_picture_is_the_same_bytes_alone_and_in_company_at_other_time_steps() -> None:
    denoise = studio().denoise
    alone = [bytes_of(run_to_end(denoise, state), "latents") for state in different(studio())]
    assert len(set(alone)) == len(alone)
    for joins in ({0: 2, 2: 3}, {1: 1, 3: 1, 4: 2}):
        together = end_all(denoise, different(studio()), joins)
        assert [bytes_of(output, "latents") for output in together] == alone
    backwards = end_all(denoise, different(studio())[::-1])
    assert [bytes_of(output, "latents") for output in backwards[::-1]] == alone


def test_a_picture_is_the_same_bytes_with_another_number_of_threads() -> None:
    begun = [studio(threads).begin("a cat", seed=5) for threads in (1, 2)]
    one, two = [run_to_end(studio(threads).denoise, state) for threads, state in zip((1, 2), begun, strict=True)]
    assert bytes_of(one, "latents") == bytes_of(two, "latents")


def test_a_picture_is_the_same_bytes_whose_prompt_was_read_in_company_by_many_threads() -> None:
    prompts = [f"a {name} on a blue background" for name in ("dog", "cat", "cow", "pig", "fox", "bat", "owl", "car")]
    requests = [EncodeTextRequest(prompt, "") for prompt in prompts]
    together = end_all(studio(4).encode, [studio(4).encode.start(request) for request in requests])
    for prompt, encoded in zip(prompts, together, strict=True):
        one = studio().begin(prompt, steps=1)
        other = studio(4).denoise.start_after(denoise_request(steps=1), {"encode": encoded})
        pictures = [run_to_end(studio(threads).denoise, state) for threads, state in ((1, one), (4, other))]
        assert bytes_of(pictures[0], "latents") == bytes_of(pictures[1], "latents")


def test_broken_off_after_any_step_it_goes_on_to_the_same_bytes() -> None:
    denoise = studio().denoise
    encoded = studio().encoded("a cat")
    request = denoise_request(steps=4, seed=9)
    state = denoise.start_after(request, {"encode": encoded})
    undisturbed = bytes_of(run_to_end(denoise, state), "latents")
    for done in range(4):
        assert (state.step, denoise.state_bytes(state)) == (done, 4 * 16 * 16 * 4)
        restored = denoise.restore_after(request, {"encode": encoded}, denoise.save(state))
        company = studio().begin("a dog", steps=1 + done, seed=done)
        assert bytes_of(end_all(denoise, [company, restored])[1], "latents") == undisturbed
        outcome = denoise.step([state])[0]
        state = outcome.state if isinstance(outcome, Advanced) else state


def test_every_step_tells_how_far_the_picture_is() -> None:
    denoise = studio().denoise
    first, second = studio().begin("a cat", steps=3), studio().begin("a cat", steps=1)
    outcomes = denoise.step([first, second])
    assert [outcome.progress for outcome in outcomes] == [Progress(1, 3, "steps"), Progress(1, 1, "steps")]
    assert [type(outcome) for outcome in outcomes] == [Advanced, Done]
    assert [outcome.preview for outcome in outcomes] == [None, None]


def test_states_share_a_call_told_rows_first_and_guidance_one_costs_one_row() -> None:
    with watched_unet(studio()) as calls:
        states = different(studio())[:3]
        studio().denoise.step(states)
        studio().denoise.step([studio().begin("a cat", guidance=1.0)])
    assert [len(call["times"]) for call in calls] == [5, 1]
    assert calls[0]["context"][3].tobytes() == states[0].untold.tobytes()
    assert calls[0]["context"][4].tobytes() == states[2].untold.tobytes()


def test_a_picture_that_goes_on_keeps_only_its_own_memory_and_those_that_end_together_lie_side_by_side() -> None:
    denoise = studio().denoise
    outcomes: list[Any] = denoise.step([studio().begin("a cat", steps=steps) for steps in (1, 2, 3)])
    rows = [outcomes[0].output.latents.data, outcomes[1].state.latents, outcomes[2].state.latents]
    assert [row.base is None for row in rows] == [True, True, True]
    ended: list[Any] = denoise.step([studio().begin("a cat", steps=1, seed=seed) for seed in (1, 2)])
    assert len({place_of(outcome.output.latents.data) for outcome in ended}) == 1


def test_states_of_one_size_may_share_steps() -> None:
    keys = {studio().denoise.batch_key(state) for state in different(studio())}
    assert len(keys) == 1


def test_an_interrupted_step_leaves_the_states_as_they_were() -> None:
    denoise = studio().denoise
    states = different(studio())[:3]
    expected = [bytes_of(output, "latents") for output in end_all(denoise, states)]
    before = [denoise.save(state) for state in states]

    def end_the_run() -> None:
        denoise.interrupt()
        raise RuntimeError("Exiting due to terminate flag being set to true.")

    assert denoise.interruptible
    with watched_unet(studio(), before_each=end_the_run), pytest.raises(Interrupted):
        denoise.step(states)
    with pytest.raises(Interrupted):
        denoise.step(states)
    denoise.clear_interrupt()
    assert [denoise.save(state) for state in states] == before
    assert [bytes_of(output, "latents") for output in end_all(denoise, states)] == expected


def test_a_running_step_ends_soon_when_another_thread_interrupts_it() -> None:
    denoise = studio().denoise
    # So many rows last far longer than the timer.
    states = [studio().begin("a cat", seed=seed) for seed in range(24)]
    for _ in range(100):
        timer = Timer(0.02, denoise.interrupt)
        timer.start()
        try:
            denoise.step(states)
        except Interrupted:
            return
        finally:
            timer.join()
            denoise.clear_interrupt()
    raise AssertionError("no step was interrupted")


def test_the_same_seed_gives_the_same_noise_and_others_give_others() -> None:
    first, again, other = (studio().begin("a cat", seed=seed).latents for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert abs(float(first.mean())) < 0.15
    assert 0.9 < float(first.std()) < 1.1


def test_sizes_that_the_model_does_not_make_are_refused() -> None:
    for size in ({"width": 128}, {"height": 63}, {"width": 2, "height": 2}):
        with pytest.raises(InvalidRequest, match="makes no pictures of"):
            studio().begin("a cat", **size)


def test_without_the_output_it_follows_a_picture_cannot_begin() -> None:
    with pytest.raises(InputMissing, match="'context'"):
        run_alone(studio().denoise, denoise_request())
    with pytest.raises(InputMissing, match="given that of encode"):
        run_alone(studio().denoise, denoise_request(), {"encode": {"words": 1}})


def test_a_checkpoint_of_another_picture_or_none_is_refused_in_words() -> None:
    denoise = studio().denoise
    inputs = {"encode": studio().encoded("a cat")}
    saved = denoise.save(studio().begin("a cat", seed=1, steps=6))
    for request in (denoise_request(seed=2, steps=6), denoise_request(seed=1, steps=7)):
        with pytest.raises(BrokenCheckpoint, match="another picture"):
            denoise.restore_after(request, inputs, saved)
    request = denoise_request(seed=1, steps=6)
    assert np.array_equal(denoise.restore_after(request, inputs, saved).latents, studio().begin("x", seed=1).latents)
    spoilt = bytearray(saved)
    spoilt[60] ^= 1
    for data in (bytes(spoilt), saved[:-4]):
        with pytest.raises(BrokenCheckpoint, match="checksum"):
            denoise.restore_after(request, inputs, data)
    with pytest.raises(BrokenCheckpoint, match="no checkpoint"):
        denoise.restore_after(request, inputs, b"")
    with pytest.raises(BrokenCheckpoint, match="version 2"):
        denoise.restore_after(request, inputs, saved[:4] + b"\2\0" + saved[6:])


def test_the_length_of_a_step_is_known_by_its_rows_once_one_was_measured() -> None:
    studio().denoise.step([studio().begin("a cat")])
    one, guided = studio().begin("a cat", guidance=1.0), studio().begin("a cat")
    ms = studio().denoise.expected_step_ms([one])
    assert ms is not None
    assert ms > 0
    assert studio().denoise.expected_step_ms([one, guided]) == pytest.approx(3 * ms)
