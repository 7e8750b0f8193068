"""Numbers as both sides can hold them: JavaScript counts exactly up to 2^53 - 1."""

from typing import Annotated

from msgspec import Meta

COUNT_MAX = 2**53 - 1

Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
PositiveCount = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
# Of a whole.
Share = Annotated[float, Meta(ge=0, le=1)]
# Milliseconds may have a fraction.
Millis = Annotated[float, Meta(ge=0)]
