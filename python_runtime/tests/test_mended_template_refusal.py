"""What a model's chat template says against the messages is the request's fault, in the template's own words."""

import json

from hearth_worker.engines.text_stream import Refused, TextStream

JINJA = """Unable to generate parser for this template. Automatic parser generation failed:
------------
While executing CallExpression at line 1, column 73 in source:
...{{ raise_exception('Conversation roles must alternate') }}...
                                           ^
Error: Jinja Exception: Conversation roles must alternate"""


def test_a_template_that_refuses_the_messages_is_not_an_engine_failure() -> None:
    refused = told(JINJA, 500)
    assert (refused.is_request_at_fault, refused.message) == (True, "Conversation roles must alternate")


def test_other_failures_of_the_engine_stay_its_own() -> None:
    refused = told("no slot", 500)
    assert (refused.is_request_at_fault, refused.message) == (False, "no slot")
    assert told("bad request", 400).is_request_at_fault


def told(message: str, code: int) -> Refused:
    """What a stream makes of an error of the engine."""
    stream = TextStream(lambda: None)
    stream.take_chunk(json.dumps({"error": {"message": message, "code": code}}).encode())
    assert stream.refused is not None
    return stream.refused
