"""Makes test/contract/frames.json, the frame vectors that both sides of PROTOCOL.md are checked against.

Rewrite the file by `python -m tests.vectors.write_frames` in python_runtime.

Each vector is a whole stream (`hex`, then its end) in one direction. `frames` are those that a receiver takes from it,
and `error` is what it finds wrong after them, or null. Fields that are nil mean the same as absent ones; bytes in
metadata stand there as `{"bytesHex": ...}`. `capability` names what a receiver must serve to know the type at all.
"""

import json
from pathlib import Path

from tests.vectors.broken_frames import broken_ends, broken_headers, broken_metadata, broken_spans
from tests.vectors.frame_bytes import Vector
from tests.vectors.good_frames import reports, requests, tolerated

FRAMES_JSON = Path(__file__).parents[3] / "test" / "contract" / "frames.json"


def main() -> None:
    """Rewrites the file; `npm run format` lays it out."""
    vectors = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in all_vectors())
    FRAMES_JSON.write_text(f'{{"vectors": [\n{vectors}\n]}}\n', encoding="utf-8")


def all_vectors() -> list[Vector]:
    """Every vector, good ones first."""
    return [
        *requests(),
        *reports(),
        *tolerated(),
        *broken_headers(),
        *broken_metadata(),
        *broken_spans(),
        *broken_ends(),
    ]


if __name__ == "__main__":
    main()
