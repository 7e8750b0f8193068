"""The layers that networks are made of, each as ONNX nodes: the counterparts of networks/blocks.py."""

from __future__ import annotations

from torch import nn

from training.networks.blocks import Residual
from training.networks.denoiser import Attention
from training.onnx_graphs.graph import Graph


def convolution(graph: Graph, layer: nn.Conv2d, name: str, x: str) -> str:
    inputs = [x, graph.weight(f"{name}.weight"), *([graph.weight(f"{name}.bias")] if layer.bias is not None else [])]
    (padding, _), (stride, _) = layer.padding, layer.stride
    return graph.node(
        "Conv", *inputs, kernel_shape=list(layer.kernel_size), pads=[padding] * 4, strides=[stride, stride]
    )


def linear(graph: Graph, name: str, x: str) -> str:
    """On the last dimension of any shape."""
    turned = graph.node("Transpose", graph.weight(f"{name}.weight"), perm=[1, 0])
    return graph.node("Add", graph.node("MatMul", x, turned), graph.weight(f"{name}.bias"))


def silu(graph: Graph, x: str) -> str:
    return graph.node("Mul", x, graph.node("Sigmoid", x))


def group_norm(graph: Graph, layer: nn.GroupNorm, name: str, x: str) -> str:
    """Instance normalisation of groups as if they were channels, which is one kernel; then scale and shift."""
    ones = graph.floats(f"ones_{layer.num_groups}", [1.0] * layer.num_groups)
    zeros = graph.floats(f"zeros_{layer.num_groups}", [0.0] * layer.num_groups)
    grouped = graph.node("Reshape", x, graph.ints(0, layer.num_groups, -1))
    normed = graph.node("InstanceNormalization", grouped, ones, zeros, epsilon=layer.eps)
    back = graph.node("Reshape", normed, graph.node("Shape", x))
    scale = graph.node("Unsqueeze", graph.weight(f"{name}.weight"), graph.ints(1, 2))
    shift = graph.node("Unsqueeze", graph.weight(f"{name}.bias"), graph.ints(1, 2))
    return graph.node("Add", graph.node("Mul", back, scale), shift)


def layer_norm(graph: Graph, layer: nn.LayerNorm, name: str, x: str) -> str:
    scale, shift = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
    return graph.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=layer.eps)


def residual(graph: Graph, block: Residual, name: str, x: str, condition: str | None = None) -> str:
    hidden = convolution(
        graph, block.conv1, f"{name}.conv1", silu(graph, group_norm(graph, block.norm1, f"{name}.norm1", x))
    )
    hidden = group_norm(graph, block.norm2, f"{name}.norm2", hidden)
    if condition is not None:
        both = graph.node("Unsqueeze", linear(graph, f"{name}.modulation", condition), graph.ints(2, 3))
        scale, shift = graph.node_with_outputs("Split", [both], 2, axis=1, num_outputs=2)
        hidden = graph.node("Add", graph.node("Mul", hidden, graph.node("Add", scale, graph.float(1.0))), shift)
    hidden = convolution(graph, block.conv2, f"{name}.conv2", silu(graph, hidden))
    if isinstance(block.shortcut, nn.Conv2d):
        x = convolution(graph, block.shortcut, f"{name}.shortcut", x)
    return graph.node("Add", x, hidden)


def pixel_shuffle(graph: Graph, x: str, factor: int = 2) -> str:
    """Channels to pixels, in torch's order."""
    return graph.node("DepthToSpace", x, blocksize=factor, mode="CRD")


def attend(graph: Graph, queries: str, keys: str, values: str, size: int, heads: int) -> str:
    """networks/blocks.py: attend. All [batch, places, size]."""
    split = graph.ints(0, 0, heads, size // heads)
    queries = graph.node("Transpose", graph.node("Reshape", queries, split), perm=[0, 2, 1, 3])
    keys = graph.node("Transpose", graph.node("Reshape", keys, split), perm=[0, 2, 3, 1])
    values = graph.node("Transpose", graph.node("Reshape", values, split), perm=[0, 2, 1, 3])
    scores = graph.node("Mul", graph.node("MatMul", queries, keys), graph.float((size // heads) ** -0.5))
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
    return graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), graph.ints(0, 0, size))


def picture_attention(graph: Graph, block: Attention, name: str, x: str, context: str) -> str:
    """networks/denoiser.py: Attention."""
    channels = block.queries.in_features
    normed = group_norm(graph, block.norm, f"{name}.norm", x)
    places = graph.node("Transpose", graph.node("Reshape", normed, graph.ints(0, 0, -1)), perm=[0, 2, 1])
    both = graph.node(
        "Concat",
        linear(graph, f"{name}.of_picture", places),
        linear(graph, f"{name}.of_words", context),
        axis=1,
    )
    keys, values = graph.node_with_outputs("Split", [both], 2, axis=2, num_outputs=2)
    mixed = attend(graph, linear(graph, f"{name}.queries", places), keys, values, channels, block.heads)
    merged = graph.node("Transpose", linear(graph, f"{name}.merge", mixed), perm=[0, 2, 1])
    return graph.node("Add", x, graph.node("Reshape", merged, graph.node("Shape", x)))
