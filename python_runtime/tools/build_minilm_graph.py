"""Writes the ONNX graph of all-MiniLM-L6-v2, whose weights stay in `model.safetensors`.

The graph is a description only: every initializer is an external-data entry that points at the bytes of one tensor
inside the safetensors file beside it. Nothing is converted or copied; ONNX Runtime maps the file. Linear layers are
Gemm(transB=1), which reads weights in the layout PyTorch saved them in.

Inputs: input_ids and attention_mask, int64 [batch, sequence], padded on the right. Output: embeddings, float32
[batch, 384], the L2-normalised mean over the tokens the mask keeps.

    .venv/bin/python python_runtime/tools/build_minilm_graph.py models/all-minilm-l6-v2
"""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, checker, helper

WEIGHTS_FILE = "model.safetensors"
GRAPH_FILE = "model.onnx"

LAYERS = 6
HEADS = 12
HEAD_SIZE = 32
HIDDEN_SIZE = HEADS * HEAD_SIZE
LAYER_NORM_EPSILON = 1e-12

# Added to the score of a padded token: its exponential is exactly 0 in float32.
MASKED_SCORE = -1e9

# Gelu as one exact operator arrived with opset 20; IR version 9 is the first that carries it.
OPSET = 20
IR_VERSION = 9


def main(folder: Path) -> None:
    """Reads the header of `folder`'s weights and writes the graph beside them."""
    weights = SafetensorsHeader.read(folder / WEIGHTS_FILE)
    target = folder / GRAPH_FILE
    target.write_bytes(build_model(weights).SerializeToString(deterministic=True))
    checker.check_model(str(target), full_check=True)
    print(f"{target}: {target.stat().st_size} bytes")


def build_model(weights: SafetensorsHeader) -> ModelProto:
    """The whole encoder: embeddings, six transformer layers, pooling."""
    graph = GraphBuilder(weights)
    hidden = embed_tokens(graph)
    masked_scores = score_mask(graph)
    by_head = shape_by_head(graph)
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        hidden = attend(graph, layer, hidden, masked_scores, by_head)
        hidden = feed_forward(graph, layer, hidden)
    pool(graph, hidden)
    return helper.make_model(
        graph.finish(),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hearth",
    )


def embed_tokens(graph: GraphBuilder) -> str:
    """Word, position and token-type embeddings of every token, as rows [batch * sequence, hidden]."""
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    length = graph.node("Shape", "input_ids", start=1, end=2)
    positions = graph.node(
        "Slice", graph.weight("embeddings.position_embeddings.weight"), graph.ints([0]), length, graph.ints([0])
    )
    # A single text is all of type 0, so the input for it is left out.
    token_type = graph.node("Gather", graph.weight("embeddings.token_type_embeddings.weight"), graph.ints([0]))
    placed = graph.node("Add", words, graph.node("Add", positions, token_type))
    # Layers work on rows: only attention needs to know which rows form a text.
    rows = graph.node("Reshape", placed, graph.ints([-1, HIDDEN_SIZE]))
    return layer_norm(graph, "embeddings.LayerNorm", rows)


def score_mask(graph: GraphBuilder) -> str:
    """0 for a token, MASKED_SCORE for padding: [batch, 1, 1, sequence], added to attention scores."""
    kept = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    padding = graph.node("Sub", graph.float(1.0), kept)
    scores = graph.node("Mul", padding, graph.float(MASKED_SCORE))
    return graph.node("Unsqueeze", scores, graph.ints([1, 2]))


def attend(graph: GraphBuilder, layer: str, rows: str, masked_scores: str, by_head: str) -> str:
    """Self-attention with its residual and normalisation."""
    queries = split_heads(graph, linear(graph, f"{layer}.attention.self.query", rows), by_head, [0, 2, 1, 3])
    keys = split_heads(graph, linear(graph, f"{layer}.attention.self.key", rows), by_head, [0, 2, 3, 1])
    values = split_heads(graph, linear(graph, f"{layer}.attention.self.value", rows), by_head, [0, 2, 1, 3])

    scores = graph.node("Mul", graph.node("MatMul", queries, keys), graph.float(HEAD_SIZE**-0.5))
    chances = graph.node("Softmax", graph.node("Add", scores, masked_scores), axis=-1)
    mixed = graph.node("Transpose", graph.node("MatMul", chances, values), perm=[0, 2, 1, 3])
    merged = graph.node("Reshape", mixed, graph.ints([-1, HIDDEN_SIZE]))

    projected = linear(graph, f"{layer}.attention.output.dense", merged)
    return layer_norm(graph, f"{layer}.attention.output.LayerNorm", graph.node("Add", projected, rows))


def shape_by_head(graph: GraphBuilder) -> str:
    """The shape [batch, sequence, head, head size], known only when a batch arrives."""
    return graph.node("Concat", graph.node("Shape", "input_ids"), graph.ints([HEADS, HEAD_SIZE]), axis=0)


def split_heads(graph: GraphBuilder, rows: str, by_head: str, order: list[int]) -> str:
    """Rows [batch * sequence, hidden] cut into heads and transposed to `order`."""
    return graph.node("Transpose", graph.node("Reshape", rows, by_head), perm=order)


def feed_forward(graph: GraphBuilder, layer: str, rows: str) -> str:
    """The two-layer perceptron with its residual and normalisation."""
    widened = graph.node("Gelu", linear(graph, f"{layer}.intermediate.dense", rows))
    narrowed = linear(graph, f"{layer}.output.dense", widened)
    return layer_norm(graph, f"{layer}.output.LayerNorm", graph.node("Add", narrowed, rows))


def pool(graph: GraphBuilder, rows: str) -> None:
    """Mean over kept tokens, then L2 normalisation. The mean's divisor cancels there, so a sum is enough."""
    shape = graph.node("Concat", graph.node("Shape", "input_ids"), graph.ints([HIDDEN_SIZE]), axis=0)
    texts = graph.node("Reshape", rows, shape)
    kept = graph.node("Unsqueeze", graph.node("Cast", "attention_mask", to=TensorProto.FLOAT), graph.ints([1]))
    summed = graph.node("Squeeze", graph.node("MatMul", kept, texts), graph.ints([1]))
    graph.node("LpNormalization", summed, axis=-1, p=2, output="embeddings")


def linear(graph: GraphBuilder, layer: str, rows: str) -> str:
    return graph.node("Gemm", rows, graph.weight(f"{layer}.weight"), graph.weight(f"{layer}.bias"), transB=1)


def layer_norm(graph: GraphBuilder, layer: str, rows: str) -> str:
    scale, shift = graph.weight(f"{layer}.weight"), graph.weight(f"{layer}.bias")
    return graph.node("LayerNormalization", rows, scale, shift, axis=-1, epsilon=LAYER_NORM_EPSILON)


@dataclass(frozen=True)
class SafetensorsHeader:
    """Where each tensor of a safetensors file lies. Offsets and lengths in bytes from the start of the file."""

    tensors: dict[str, tuple[list[int], int, int]]

    @staticmethod
    def read(path: Path) -> SafetensorsHeader:
        with path.open("rb") as file:
            (header_length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(header_length))
        data_start = 8 + header_length
        tensors = {}
        for name, entry in header.items():
            if name == "__metadata__" or entry["dtype"] != "F32":
                continue
            first, end = entry["data_offsets"]
            tensors[name] = (entry["shape"], data_start + first, end - first)
        return SafetensorsHeader(tensors)


@dataclass
class GraphBuilder:
    """Collects nodes and initializers; every method returns the name of the value it added."""

    weights: SafetensorsHeader
    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, TensorProto] = field(default_factory=dict)

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def weight(self, name: str) -> str:
        """An initializer whose bytes are the tensor `name` of the safetensors file."""
        if name not in self.initializers:
            shape, offset, length = self.weights.tensors[name]
            tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", WEIGHTS_FILE), ("offset", str(offset)), ("length", str(length))):
                tensor.external_data.add(key=key, value=value)
            self.initializers[name] = tensor
        return name

    def ints(self, values: list[int]) -> str:
        name = "ints_" + "_".join(str(value) for value in values)
        self.initializers.setdefault(name, helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
        return name

    def float(self, value: float) -> str:
        name = f"float_{value}"
        self.initializers.setdefault(name, helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
        return name

    def finish(self) -> GraphProto:
        texts = ["batch", "sequence"]
        return helper.make_graph(
            self.nodes,
            "all-MiniLM-L6-v2",
            inputs=[
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, texts),
                helper.make_tensor_value_info("attention_mask", TensorProto.INT64, texts),
            ],
            outputs=[helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", HIDDEN_SIZE])],
            initializer=list(self.initializers.values()),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
