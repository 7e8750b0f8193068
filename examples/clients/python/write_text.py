"""Lets a model write and shows the text as it grows: `python3 write_text.py "Name three colours." [URL of the API]`.

Needs only Python. Survives what happens in between, such as a restart of the server: the key makes the same request the
same job, and the cursor lets the stream go on after the last event that was seen. Progress goes to standard error."""

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
import uuid

PROMPT, URL = (*sys.argv[1:], *("Name three colours.", "http://127.0.0.1:4000/graphql")[len(sys.argv) - 1 :])
SUBMIT = """mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
  __typename ... on Error { message } ... on OverloadedError { retryAfterMs } } }"""
FOLLOW = """subscription ($key: String!, $after: String) { jobEvents(idempotencyKey: $key, after: $after) {
  __typename cursor ... on TextDelta { offset text } ... on JobFailed { error { message } } } }"""


def answers(query, variables, accept="application/json"):
    """What the server says, line by line; ends early when the connection is lost, or nobody is there."""
    request = urllib.request.Request(URL, json.dumps({"query": query, "variables": variables}).encode())
    request.headers = {"Content-type": "application/json", "Accept": accept}
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # A living stream says something every 12 s.
            # A JSON answer has no line's end; it is whole when nothing more was announced.
            yield from (line for line in response if line.endswith(b"\n") or response.length == 0)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code < 500:
            raise SystemExit(error.read().decode()) from None


def submit_job(key):
    task = {"generateText": {"prompt": PROMPT, "maxTokens": 200}}
    job = {"model": "smollm2-135m-instruct", "idempotencyKey": key, "task": task}
    while (
        True
    ):  # Refused for now, or nobody knows whether it arrived: sent again with its key, it never makes a second job.
        for answer in answers(SUBMIT, {"input": job}):
            result = json.loads(answer)["data"]["submitJob"]
            if result["__typename"] == "SubmitJobSuccess":
                return
            if "retryAfterMs" not in result:
                raise SystemExit(result["message"])
        time.sleep(0.5)


def follow_job(key):
    cursor, text = None, b""  # Offsets count UTF-16 code units, of two bytes each.
    while True:
        for line in answers(FOLLOW, {"key": key, "after": cursor}, "text/event-stream"):
            if line == b"event: complete\n":
                return text.decode("utf-16-le", "replace")
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])["data"]["jobEvents"]
            cursor = event["cursor"]
            if event["__typename"] == "TextDelta":
                text = text[: 2 * event["offset"]] + event["text"].encode("utf-16-le", "surrogatepass")
            elif event["__typename"] == "JobFailed":
                raise SystemExit(event["error"]["message"])
            told = text.decode("utf-16-le", "replace") if "text" in event else event["__typename"]
            print(told, file=sys.stderr, flush=True)
        time.sleep(0.5)  # Cut off: go on after the last event that was seen.


KEY = str(uuid.uuid4())
submit_job(KEY)
print(follow_job(KEY))
