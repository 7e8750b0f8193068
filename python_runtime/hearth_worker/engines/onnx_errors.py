"""What ONNX Runtime's exceptions mean: it has one text for everything, and no exception of its own for memory."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from hearth_worker.failures import LoadFailed, OutOfMemory

# How ONNX Runtime words that an allocation failed.
OUT_OF_MEMORY_WORDS = ("bad_alloc", "Failed to allocate memory", "bad allocation")
# How it words that a run was ended from outside.
TERMINATED_WORDS = "terminate flag"
# How it words that an operator could not compute with what it was given.
OPERATOR_WORDS = re.compile(r"Non-zero status code returned while running (\S+) node\. Name:'(.*?)' Status Message: ")
PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
# A place in its source, the function there with its parameters, and the condition that did not hold.
SOURCE_PLACE = re.compile(r"\S+\.(?:h|hpp|cc|cpp):\d+ (?:[^()]*\([^()]*\)(?: const)? |\w+ )?(?:.*? was false\. )?")


class RefusedInputs(Exception):  # noqa: N818
    """The graph cannot be computed for these inputs, in ONNX Runtime's words without its own internals."""


@contextmanager
def telling_out_of_memory() -> Iterator[None]:
    """Raises OutOfMemory where that is what an exception says."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY_WORDS):
            raise OutOfMemory(str(error)) from error
        raise


@contextmanager
def telling_broken_graph(component: str) -> Iterator[None]:
    """Raises LoadFailed where ONNX Runtime cannot open a graph."""
    try:
        yield
    except Exception as error:
        text = str(error)
        if any(words in text for words in OUT_OF_MEMORY_WORDS) or not PREFIX.match(text):
            raise
        words = plain_words(text)
        if "locale" in words:
            words += " (The graph compares words as a language does: install that locale on this machine, for example "
            words += "`locale-gen en_US.UTF-8`, and start the server again.)"
        raise LoadFailed(f"ONNX Runtime cannot open component {component!r}: {words}") from error


@contextmanager
def telling_refused_inputs() -> Iterator[None]:
    """Raises RefusedInputs where a run failed over the shapes or values that it was given."""
    try:
        yield
    except Exception as error:
        if is_about_inputs(error):
            raise RefusedInputs(plain_words(str(error))) from error
        raise


def is_about_inputs(error: Exception) -> bool:
    """An argument that does not fit is told before the run, what an operator cannot take while it runs."""
    text = str(error)
    if TERMINATED_WORDS in text:
        return False
    is_of_operator = isinstance(error, Fail | RuntimeException) and OPERATOR_WORDS.search(text) is not None
    return isinstance(error, InvalidArgument) or is_of_operator


def plain_words(text: str) -> str:
    """`MatMul: dimension mismatch` instead of codes, files and lines."""
    text = PREFIX.sub("", text).split("\nStacktrace", 1)[0]
    operator = OPERATOR_WORDS.search(text)
    if operator:
        kind, name = operator.groups()
        text = f"{kind} {name!r}: {text[operator.end() :]}" if name else f"{kind}: {text[operator.end() :]}"
    text = SOURCE_PLACE.sub("", text).replace("Please fix either the inputs/outputs or the model.", "")
    return " ".join(text.split())
