"""Collects the nodes of one ONNX graph. Every method returns the name of the value it added.

Weights are float16 in the file and float32 in every computation: a Cast follows each, which ONNX Runtime folds away
when it loads the graph. No activation is ever quantised: a scale taken from a batch would make a picture depend on its
company.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper

from training.onnx_graphs.stored_weights import StoredWeights

OPSET = 20
IR_VERSION = 9


class Graph:
    """`batch` is the name of the first dimension of all inputs and outputs."""

    def __init__(self, name: str, weights: StoredWeights) -> None:
        self.name = name
        self.weights = weights
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: Sequence[str | int]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, name: str, value: str, shape: Sequence[str | int]) -> None:
        """Names `value`, float32, as an output."""
        self.nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.node_with_outputs(operator, inputs, 1, **attributes)[0]

    def node_with_outputs(self, operator: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        name = f"{operator.lower()}_{len(self.nodes)}"
        outputs = [name] if count == 1 else [f"{name}_{number}" for number in range(count)]
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, name=name, **attributes))
        return outputs

    def weight(self, name: str) -> str:
        """A stored weight as float32."""
        stored = f"{name}.half"
        if stored not in self.initializers:
            shape, offset, length = self.weights.places[name]
            tensor = TensorProto(name=stored, dims=shape, data_type=TensorProto.FLOAT16)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (
                ("location", self.weights.file_name),
                ("offset", str(offset)),
                ("length", str(length)),
            ):
                tensor.external_data.add(key=key, value=value)
            self.initializers[stored] = tensor
            self.nodes.append(helper.make_node("Cast", [stored], [name], name=f"cast.{name}", to=TensorProto.FLOAT))
        return name

    def ints(self, *values: int) -> str:
        name = "ints_" + "_".join(str(value) for value in values)
        self.initializers.setdefault(name, helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
        return name

    def float(self, value: float) -> str:
        name = f"float_{value!r}"
        self.initializers.setdefault(name, helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
        return name

    def floats(self, name: str, values: Sequence[float], shape: Sequence[int] | None = None) -> str:
        """A constant kept in the graph itself, in full precision."""
        self.initializers.setdefault(name, helper.make_tensor(name, TensorProto.FLOAT, shape or [len(values)], values))
        return name

    def write(self, path: Path) -> None:
        """Writes the graph beside its weights and has it checked."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, list(self.initializers.values()))
        model: ModelProto = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="hearth"
        )
        path.write_bytes(model.SerializeToString(deterministic=True))
        checker.check_model(str(path), full_check=True)
