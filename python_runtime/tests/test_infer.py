"""infer on small graphs, in a real worker: every kind of tensor in and out, and errors that say what is wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.support.graphs import node, tensor, write_model
from tests.support.inference import as_input, in_file, infer_task, outputs_of, raw_task, refusal_of
from tests.support.worker_harness import WorkerHarness

NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerHarness]:
    with WorkerHarness("onnx") as worker:
        worker.hello()
        yield worker


@pytest.fixture
def number(counter: list[int] = [0]) -> int:  # noqa: B006
    """Another one for each test: of its model, and of its first task."""
    counter[0] += 100
    return counter[0]


@pytest.mark.parametrize("dtype", [*NUMBERS, "bool"])
def test_numbers_of_every_kind_go_through(worker: WorkerHarness, number: int, tmp_path: Path, dtype: str) -> None:
    load_identity(worker, tmp_path, number, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    array = extremes(dtype)
    worker.admit(infer_task(number, {"x": array}, model=number))
    result = outputs_of(worker, number)["y"]
    assert result.dtype == array.dtype
    assert result.tobytes() == array.tobytes()


def test_any_byte_but_zero_is_true(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    ports = [tensor("x", TensorProto.BOOL, ["n"])], [tensor("y", TensorProto.BOOL, ["n"])]
    worker.load(write_model(tmp_path / "m", [node("Not", ["x"], ["y"])], *ports), number)
    bytes_given = bytes([0, 1, 2, 255])
    (tmp_path / "raw").write_bytes(bytes_given)
    inline = {"name": "x", "dtype": "bool", "shape": [4], "data": bytes_given}
    worker.admit(raw_task(number, [inline], model=number))
    worker.admit(raw_task(number + 1, [in_file("x", tmp_path / "raw", "bool", [4])], model=number))
    for task in (number, number + 1):
        assert outputs_of(worker, task)["y"].view(np.uint8).tolist() == [1, 0, 0, 0]


def test_bfloat16_keeps_its_bits(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    load_identity(worker, tmp_path, number, TensorProto.BFLOAT16)
    bits = np.array([[0x3F80, 0xFF80], [0x0001, 0x4049]], np.uint16)
    given = {"name": "x", "dtype": "bfloat16", "shape": [2, 2], "data": bits.tobytes()}
    empty = {"name": "x", "dtype": "bfloat16", "shape": [0, 2], "data": b""}
    worker.admit(raw_task(number, [given], model=number), raw_task(number + 1, [empty], model=number))
    assert outputs_of(worker, number)["y"].tolist() == bits.tolist()
    assert outputs_of(worker, number + 1)["y"].shape == (0, 2)


def test_texts_go_through(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    load_identity(worker, tmp_path, number, TensorProto.STRING)
    texts = np.array([["", "ä 😀"], ["a\nb", "0"]], object)
    worker.admit(infer_task(number, {"x": texts}, model=number))
    assert outputs_of(worker, number)["y"].tolist() == texts.tolist()


def test_only_the_outputs_asked_for_are_given_in_that_order(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    nodes = [node("Neg", ["x"], ["negative"]), node("Add", ["x", "x"], ["twice"]), node("Abs", ["x"], ["absolute"])]
    outputs = [tensor("negative"), tensor("twice"), tensor("absolute")]
    worker.load(write_model(tmp_path / "m", nodes, [tensor("x")], outputs), number)
    one = np.array([[1, 2]], np.float32)
    worker.admit(infer_task(number, {"x": one}, outputs=["twice", "negative"], model=number))
    worker.admit(infer_task(number + 1, {"x": one}, model=number))
    result = outputs_of(worker, number)
    assert list(result) == ["twice", "negative"]
    assert result["twice"].tolist() == [[2, 4]]
    assert list(outputs_of(worker, number + 1)) == ["negative", "twice", "absolute"]


def test_files_of_raw_bytes_and_of_numpy_are_mapped(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    load_identity(worker, tmp_path, number)
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    array.tofile(tmp_path / "raw")
    np.save(tmp_path / "plain.npy", array)
    np.save(tmp_path / "other_order.npy", np.asfortranarray(array.astype(">f4")))
    np.save(tmp_path / "empty.npy", array[:0])
    (tmp_path / "nothing").touch()
    files = {"raw": 3, "plain.npy": 3, "other_order.npy": 3, "empty.npy": 0, "nothing": 0}
    for index, (name, rows) in enumerate(files.items()):
        given = in_file("x", tmp_path / name, "float32", [rows, 2])
        worker.admit(raw_task(number + index, [given], model=number))
        assert outputs_of(worker, number + index)["y"].tolist() == array[:rows].tolist(), name


def test_an_optional_input_may_be_left_out(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    bias = {"bias": np.array([10, 20], np.float32)}
    inputs = [tensor("x"), tensor("bias", shape=[2])]
    folder = write_model(tmp_path, [node("Add", ["x", "bias"], ["y"])], inputs, [tensor("y")], initializers=bias)
    worker.load(folder, number)
    x = np.zeros((1, 2), np.float32)
    worker.admit(infer_task(number, {"x": x}, model=number))
    worker.admit(infer_task(number + 1, {"x": x, "bias": np.ones(2, np.float32)}, model=number))
    assert outputs_of(worker, number)["y"].tolist() == [[10, 20]]
    assert outputs_of(worker, number + 1)["y"].tolist() == [[1, 1]]


def test_maps_become_values_and_keys(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    kinds: list[list[str | int]] = [["cat", "dog"], [7, 5]]
    for index, labels in enumerate(kinds):
        worker.load(zip_map(tmp_path / str(index), labels), number + index)
        scores = np.array([[0.25, 0.75], [1, 0]], np.float32)
        worker.admit(infer_task(number + index, {"x": scores}, model=number + index))
        result = outputs_of(worker, number + index)
        assert list(result) == ["y", "y.keys"]
        order = [labels.index(key) for key in result["y.keys"].tolist()]
        assert sorted(order) == [0, 1]
        assert result["y"].dtype == np.float32
        assert result["y"] == pytest.approx(scores[:, order])


def test_no_rows_of_maps_ask_for_one(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    worker.load(zip_map(tmp_path, ["cat", "dog"]), number)
    worker.admit(infer_task(number, {"x": np.zeros((0, 2), np.float32)}, model=number))
    code, message = refusal_of(worker, number)
    assert code == "engine_error"
    assert "'y'" in message
    assert "at least one row" in message


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "z"}, "no input 'z'; the model takes x"),
        ({"dtype": "float64"}, "takes float32, not float64"),
        ({"shape": [1, 3]}, r"takes the shape \[n, 2\], not \[1, 3\]"),
        ({"shape": [2]}, r"takes the shape \[n, 2\]"),
        ({"data": b"123"}, "takes 8 bytes, not 3"),
        ({"data": None}, "needs either data or a path"),
        ({"path": "/tmp"}, "needs either data or a path"),
        ({"values": ["a"]}, "needs either data or a path"),
        ({"shape": [1, -2]}, "tensors"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    worker: WorkerHarness, number: int, tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    load_identity(worker, tmp_path, number)
    right = as_input("x", np.zeros((1, 2), np.float32))
    worker.admit(raw_task(number, [right | wrong], model=number))
    code, message = refusal_of(worker, number)
    assert code == "invalid_request"
    assert pytest.raises(AssertionError, match=words).matches(AssertionError(message)), message


def test_inputs_that_are_missing_or_doubled_and_unknown_outputs_are_named(
    worker: WorkerHarness, number: int, tmp_path: Path
) -> None:
    load_identity(worker, tmp_path, number)
    x = as_input("x", np.zeros((1, 2), np.float32))
    refusals: list[tuple[Sequence[Any], list[str] | None, str]] = [
        ([], None, "inputs are missing: x"),
        ([x, x], None, "'x' is given twice"),
        ([x], ["z"], "no output 'z'; the model has y"),
        ([x], ["y", "y"], "only once"),
        ([x], [], "at least one"),
    ]
    for index, (tensors, outputs, words) in enumerate(refusals):
        worker.admit(raw_task(number + index, tensors, outputs=outputs, model=number))
        code, message = refusal_of(worker, number + index)
        assert code == "invalid_request"
        assert words in message


def test_a_file_that_is_gone_or_of_another_kind_is_told(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    load_identity(worker, tmp_path, number)
    np.save(tmp_path / "double.npy", np.zeros((1, 2)))
    np.save(tmp_path / "objects.npy", np.array([[{}, {}]], object), allow_pickle=True)
    (tmp_path / "short").write_bytes(b"1234")
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00")
    expected = {
        "gone": ("artifact_missing", "no longer exists"),
        "double.npy": ("invalid_request", "holds float64"),
        "objects.npy": ("invalid_request", "cannot be read"),
        "short": ("invalid_request", "takes 8 bytes, not 4"),
    }
    for index, (name, (code, words)) in enumerate(expected.items()):
        worker.admit(raw_task(number + index, [in_file("x", tmp_path / name, "float32", [1, 2])], model=number))
        told = refusal_of(worker, number + index)
        assert told[0] == code, told
        assert words in told[1], told


def test_what_an_operator_refuses_is_the_requests_fault_in_plain_words(
    worker: WorkerHarness, number: int, tmp_path: Path
) -> None:
    inputs = [tensor("data", shape=["n"]), tensor("index", TensorProto.INT64, ["m"])]
    gather = node("Gather", ["data", "index"], ["y"])
    worker.load(write_model(tmp_path / "gather", [gather], inputs, [tensor("y", shape=["m"])]), number)
    reshape = node("Reshape", ["data", "index"], ["y"])
    worker.load(write_model(tmp_path / "reshape", [reshape], inputs, [tensor("y", shape=None)]), number + 1)
    given = {"data": np.zeros(3, np.float32), "index": np.array([2, 7])}
    worker.admit(infer_task(number, given, model=number), infer_task(number + 1, given, model=number + 1))
    code, message = refusal_of(worker, number)
    assert code == "invalid_request"
    assert "idx=7 must be within the inclusive range [-3,2]" in message
    code, message = refusal_of(worker, number + 1)
    assert code == "invalid_request"
    assert "cannot be reshaped" in message
    for internal in ("ONNXRuntimeError", ".h:", "onnxruntime::", "was false"):
        assert internal not in message


def load_identity(worker: WorkerHarness, folder: Path, number: int, kind: int = TensorProto.FLOAT) -> None:
    """A model that gives back its input [n, 2]."""
    identity = [node("Identity", ["x"], ["y"])]
    worker.load(write_model(folder / "identity", identity, [tensor("x", kind)], [tensor("y", kind)]), number)


def zip_map(folder: Path, labels: Sequence[str | int]) -> Path:
    """What scikit-learn's exporter puts behind a classifier."""
    is_text = isinstance(labels[0], str)
    keys = {"classlabels_strings" if is_text else "classlabels_int64s": labels}
    map_type = helper.make_map_type_proto(
        TensorProto.STRING if is_text else TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    )
    output = helper.make_value_info("y", helper.make_sequence_type_proto(map_type))
    return write_model(folder, [node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", **keys)], [tensor("x")], [output])


def extremes(dtype: str) -> Any:
    """The least and the greatest, and what is no number."""
    if dtype == "bool":
        return np.array([[True, False]])
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.array([[np.nan, np.inf], [-np.inf, np.finfo(kind).tiny]], kind)
    return np.array([[np.iinfo(kind).min, np.iinfo(kind).max]], kind)
