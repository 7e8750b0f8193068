"""The naive way: one JSON line per message over standard input and output, tensors as base64 in it.

`{"id", "bytes"}` in; `{"id", "data"}` out. With `--once` it answers one line and ends.
"""

import base64
import functools
import json
import sys


@functools.lru_cache(maxsize=16)
def data_of(size_bytes: int) -> bytes:
    """What the no-op program of the worker gives, kept as it keeps it."""
    return (bytes(range(256)) * (size_bytes // 256 + 1))[:size_bytes]


for line in sys.stdin:
    request = json.loads(line)
    answer = {
        "id": request["id"],
        "data": base64.b64encode(data_of(request["bytes"])).decode("ascii"),
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if "--once" in sys.argv:
        break
