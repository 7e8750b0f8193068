"""A torch Sequential, layer by layer, as ONNX nodes."""

from __future__ import annotations

from torch import nn

from training.networks.blocks import Residual
from training.networks.upscaler import Plain
from training.onnx_graphs.graph import Graph
from training.onnx_graphs.layers import convolution, group_norm, linear, pixel_shuffle, residual, silu


def sequential(graph: Graph, layers: nn.Sequential, name: str, x: str) -> str:
    for number, layer in enumerate(layers):
        x = one_layer(graph, layer, f"{name}.{number}", x)
    return x


def one_layer(graph: Graph, layer: nn.Module, name: str, x: str) -> str:
    match layer:
        case nn.Conv2d():
            return convolution(graph, layer, name, x)
        case nn.Linear():
            return linear(graph, name, x)
        case nn.GroupNorm():
            return group_norm(graph, layer, name, x)
        case nn.SiLU():
            return silu(graph, x)
        case nn.ReLU():
            return graph.node("Relu", x)
        case nn.PixelShuffle():
            return pixel_shuffle(graph, x, layer.upscale_factor)
        case nn.PixelUnshuffle():
            return pixel_unshuffle(graph, x, layer.downscale_factor)
        case Residual():
            return residual(graph, layer, name, x)
        case Plain():
            return graph.node("Add", x, sequential(graph, layer.layers, f"{name}.layers", x))
        case nn.Sequential():
            return sequential(graph, layer, name, x)
    raise TypeError(f"{name} is a {type(layer).__name__}, which has no ONNX counterpart here. Add one to one_layer().")


def pixel_unshuffle(graph: Graph, x: str, factor: int) -> str:
    """Pixels to channels in torch's order, which differs from SpaceToDepth's: the side is fixed at 64."""
    side = 64 // factor
    apart = graph.node("Reshape", x, graph.ints(0, 0, side, factor, side, factor))
    sorted_ = graph.node("Transpose", apart, perm=[0, 1, 3, 5, 2, 4])
    return graph.node("Reshape", sorted_, graph.ints(0, 3 * factor * factor, side, side))
