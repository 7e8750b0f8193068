"""What prompts say, and what the tokenizer makes of them. Needs neither torch nor pictures."""

from __future__ import annotations

import pytest

from training.vocabulary.objects import read_objects
from training.vocabulary.prompts import COLOURED_TEMPLATES, PLURALS, TEMPLATES, Scene, describe, with_article
from training.vocabulary.tokenizer import BEGINNING, PADDING, PROMPT_TOKENS, UNKNOWN, read_vocabulary, tokenize


def noun_number(noun: str) -> int:
    return next(number for number, thing in enumerate(read_objects()) if thing.noun == noun)


def test_there_are_at_least_two_hundred_objects_and_no_noun_or_icon_twice() -> None:
    things = read_objects()
    assert len(things) >= 200
    assert len({thing.noun for thing in things}) == len(things)
    assert len({thing.icon for thing in things}) == len(things)


def test_no_word_has_two_meanings() -> None:
    assert len(set(read_vocabulary())) == len(read_vocabulary())


@pytest.mark.parametrize("template", TEMPLATES)
def test_training_only_speaks_words_the_tokenizer_knows(template: str) -> None:
    for thing in range(len(read_objects())):
        tokens = tokenize(describe(Scene(thing, style=thing % 2, colour=thing % 12), template, said=thing % 7))
        assert tokens.unknown == ()
        assert tokens.numbers[-1] == PADDING, "a prompt that fills its tokens may have been cut"


def test_a_noun_of_several_words_is_one_token_and_the_longest_wins() -> None:
    vocabulary = read_vocabulary()
    spoken = [vocabulary[number] for number in tokenize("a hot dog and a dog").numbers if number > UNKNOWN]
    assert spoken == ["a", "hot dog", "a", "dog"]


def test_unknown_words_are_reported_in_order_and_keep_their_place() -> None:
    tokens = tokenize("A wobbly apple, Frobnicated!")
    assert tokens.unknown == ("wobbly", "frobnicated")
    assert tokens.numbers[2] == UNKNOWN


def test_the_empty_prompt_is_a_beginning_and_padding() -> None:
    assert tokenize("").numbers == (BEGINNING, *[PADDING] * (PROMPT_TOKENS - 1))


def test_a_long_prompt_is_cut() -> None:
    assert len(tokenize("apple " * 100).numbers) == PROMPT_TOKENS


def test_articles_follow_the_sound() -> None:
    assert with_article("apple") == "an apple"
    assert with_article("unicorn") == "a unicorn"
    assert with_article("dog") == "a dog"
    assert with_article("grapes") == "grapes"


def test_plurals_are_nouns_that_exist() -> None:
    assert {thing.noun for thing in read_objects()} >= PLURALS


def test_a_prompt_names_object_style_and_background() -> None:
    scene = Scene(thing=noun_number("apple"), style=0, colour=4)
    assert describe(scene, TEMPLATES[0]) == "noto apple on a blue background"


def test_a_colour_may_be_said_of_the_thing_beside_that_of_the_background() -> None:
    scene = Scene(thing=noun_number("apple"), style=0, colour=4)
    assert describe(scene, COLOURED_TEMPLATES[0], said=2) == "noto red apple on a blue background"
