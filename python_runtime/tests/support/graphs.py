"""Small ONNX graphs, written when a test wants them, as models in folders of their own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

FLOAT = TensorProto.FLOAT


def tensor(name: str, kind: int = FLOAT, shape: Sequence[int | str | None] | None = ("n", 2)) -> ValueInfoProto:
    """An input or output of a graph."""
    return helper.make_tensor_value_info(name, kind, shape)


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> NodeProto:
    """An operator."""
    return helper.make_node(kind, inputs, outputs, **attributes)


def write_model(
    folder: Path,
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    *,
    initializers: Mapping[str, Any] | None = None,
    program: str = "infer",
    **manifest: Any,
) -> Path:
    """A folder with the graph and its model.json. `initializers` are numpy arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in (initializers or {}).items()]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), initializer=constants)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    write_manifest(folder, program=program, **manifest)
    return folder


def write_manifest(folder: Path, *, program: str, **manifest: Any) -> None:
    """Of the graph model.onnx that lies there."""
    graph = (folder / "model.onnx").read_bytes()
    file = {"path": "model.onnx", "role": "graph", "sha256": hashlib.sha256(graph).hexdigest(), "sizeBytes": len(graph)}
    component = {"name": "graph", "format": "onnx", "files": [file], "dependsOn": []}
    fields = {
        "name": folder.name,
        "engine": "onnx",
        "components": [component],
        "graph": [{"node": "run", "program": program, "components": ["graph"], "after": []}],
        "limits": {"batchLimit": 32},
    }
    (folder / "model.json").write_text(json.dumps(fields | manifest))
