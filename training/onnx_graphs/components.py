"""Each component of the model as a graph. Inputs and outputs are what README.md promises to programs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onnx import TensorProto

from training.networks.autoencoder import LATENT_CHANNELS, LATENT_SIDE, Decoder, Encoder
from training.networks.denoiser import DRAFT_CHANNELS, LOG_DEVIATION_MAX, LOG_DEVIATION_MIN, TIME_FREQUENCIES, Denoiser
from training.networks.preview_decoder import PreviewDecoder
from training.networks.text_encoder import CONTEXT_SIZE, TextEncoder
from training.networks.upscaler import FACTOR, Upscaler
from training.onnx_graphs.graph import Graph
from training.onnx_graphs.layers import attend, convolution, layer_norm, linear, picture_attention, residual, silu
from training.onnx_graphs.plain_layers import sequential
from training.vocabulary.tokenizer import PROMPT_TOKENS

LATENT_SHAPE = ["batch", LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE]
CONTEXT_SHAPE = ["batch", PROMPT_TOKENS, CONTEXT_SIZE]
PICTURE_SHAPE = ["batch", 3, 64, 64]


@dataclass(frozen=True)
class LatentScale:
    """Mean and deviation of the autoencoder's own latents, by channel; everywhere else they are 0 and 1."""

    mean: list[float]
    deviation: list[float]


def text_encoder(graph: Graph, network: TextEncoder) -> None:
    numbers = graph.input("input_ids", TensorProto.INT64, ["batch", PROMPT_TOKENS])
    x = graph.node("Add", graph.node("Gather", graph.weight("words.weight"), numbers), graph.weight("places"))
    for number, layer in enumerate(network.layers):
        name = f"layers.{number}"
        mixed = linear(graph, f"{name}.mix", layer_norm(graph, layer.norm1, f"{name}.norm1", x))
        queries, keys, values = graph.node_with_outputs("Split", [mixed], 3, axis=2, num_outputs=3)
        looked = attend(graph, queries, keys, values, CONTEXT_SIZE, layer.heads)
        x = graph.node("Add", x, linear(graph, f"{name}.merge", looked))
        widened = linear(graph, f"{name}.widen", layer_norm(graph, layer.norm2, f"{name}.norm2", x))
        x = graph.node("Add", x, linear(graph, f"{name}.narrow", graph.node("Gelu", widened)))
    graph.output("context", layer_norm(graph, network.norm, "norm", x), CONTEXT_SHAPE)


def unet(graph: Graph, network: Denoiser) -> None:
    latents = graph.input("latents", TensorProto.FLOAT, LATENT_SHAPE)
    times = graph.input("times", TensorProto.FLOAT, ["batch"])
    context = graph.input("context", TensorProto.FLOAT, CONTEXT_SHAPE)

    summary = summarise(graph, context)
    drafted = sequential(graph, network.draft.layers, "draft.layers", summary)
    draft = graph.node("Reshape", drafted, graph.ints(0, DRAFT_CHANNELS, LATENT_SIDE, LATENT_SIDE))
    claimed = linear(graph, "draft.deviation", summary)
    bounds = graph.float(LOG_DEVIATION_MIN), graph.float(LOG_DEVIATION_MAX)
    log_deviation = graph.node("Clip", claimed, *bounds)
    deviation = graph.node("Unsqueeze", graph.node("Exp", log_deviation), graph.ints(2, 3))
    of_time = sequential(graph, network.time, "time", waves(graph, times))
    condition = silu(graph, graph.node("Add", of_time, linear(graph, "summary_to_condition", summary)))

    guess, _ = graph.node_with_outputs(
        "Split", [draft, graph.ints(LATENT_CHANNELS, DRAFT_CHANNELS - LATENT_CHANNELS)], 2, axis=1
    )
    t = graph.node("Unsqueeze", times, graph.ints(1, 2, 3))
    to_go = graph.node("Sub", graph.float(1.0), t)
    rest = graph.node("Sub", latents, graph.node("Mul", t, guess))
    squared = graph.node("Mul", deviation, deviation)
    of_picture = graph.node("Mul", graph.node("Mul", t, t), squared)
    variance = graph.node("Add", of_picture, graph.node("Mul", to_go, to_go))
    root = graph.node("Sqrt", variance)
    x = graph.node("Concat", graph.node("Div", rest, root), draft, axis=1)
    target = unet_layers(graph, network, x, condition, context)
    told = graph.node("Sub", graph.node("Mul", t, squared), to_go)
    lean = graph.node("Mul", graph.node("Div", told, variance), rest)
    correction = graph.node("Mul", graph.node("Div", deviation, root), target)
    velocity = graph.node("Add", graph.node("Add", guess, lean), correction)
    graph.output("velocity", velocity, LATENT_SHAPE)


def unet_layers(graph: Graph, net: Denoiser, x: str, condition: str, context: str) -> str:
    """networks/denoiser.py: Denoiser.layers, line by line."""

    def plain(name: str, x: str) -> str:
        return convolution(graph, net.get_submodule(name), name, x)  # type: ignore[arg-type]

    def block(name: str, x: str) -> str:
        return residual(graph, net.get_submodule(name), name, x, condition)  # type: ignore[arg-type]

    def look(name: str, x: str) -> str:
        return picture_attention(graph, net.get_submodule(name), name, x, context)  # type: ignore[arg-type]

    def beside(x: str, y: str) -> str:
        return graph.node("Concat", x, y, axis=1)

    at16a = plain("enter", x)
    at16b = block("down16", at16a)
    at8a = look("look8a", block("down8a", plain("to8", at16b)))
    at8b = look("look8b", block("down8b", at8a))
    x = look("look4a", block("middle4a", plain("to4", at8b)))
    x = look("look4b", block("middle4b", x))
    x = plain("from4", nearest(graph, x))
    x = look("look8c", block("up8a", beside(x, at8b)))
    x = look("look8d", block("up8b", beside(x, at8a)))
    x = plain("from8", nearest(graph, x))
    x = block("up16a", beside(x, at16b))
    return sequential(graph, net.leave, "leave", block("up16b", beside(x, at16a)))


def summarise(graph: Graph, context: str) -> str:
    """networks/denoiser.py: Summary."""
    weights = graph.node("Softmax", linear(graph, "summary.questions", context), axis=1)
    answers = graph.node("MatMul", graph.node("Transpose", weights, perm=[0, 2, 1]), context)
    return graph.node("Flatten", answers, axis=1)


def waves(graph: Graph, times: str) -> str:
    """networks/denoiser.py: waves."""
    rates = [1000 * math.exp(number * -math.log(1e4) / TIME_FREQUENCIES) for number in range(TIME_FREQUENCIES)]
    angles = graph.node("Mul", graph.node("Unsqueeze", times, graph.ints(1)), graph.floats("time_frequencies", rates))
    return graph.node("Concat", graph.node("Sin", angles), graph.node("Cos", angles), axis=1)


def nearest(graph: Graph, x: str) -> str:
    """Twice the side, each pixel four times."""
    scales = graph.floats("twice", [1.0, 1.0, 2.0, 2.0])
    return graph.node(
        "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )


def vae_decoder(graph: Graph, network: Decoder, scale: LatentScale) -> None:
    latents = unscaled(graph, scale, graph.input("latents", TensorProto.FLOAT, LATENT_SHAPE))
    picture = sequential(graph, network.layers, "layers", latents)
    graph.output("picture", clipped(graph, picture), PICTURE_SHAPE)


def preview_decoder(graph: Graph, network: PreviewDecoder, scale: LatentScale) -> None:
    latents = unscaled(graph, scale, graph.input("latents", TensorProto.FLOAT, LATENT_SHAPE))
    picture = sequential(graph, network.layers, "layers", latents)
    graph.output("picture", clipped(graph, picture), ["batch", 3, 32, 32])


def vae_encoder(graph: Graph, network: Encoder, scale: LatentScale) -> None:
    """The mean only: whoever encodes wants the same latents each time."""
    picture = graph.input("picture", TensorProto.FLOAT, PICTURE_SHAPE)
    both = sequential(graph, network.layers, "layers", picture)
    mean, _ = graph.node_with_outputs("Split", [both], 2, axis=1, num_outputs=2)
    centre, deviation = constants(graph, scale)
    scaled = graph.node("Div", graph.node("Sub", mean, centre), deviation)
    graph.output("latents", scaled, LATENT_SHAPE)


def upscaler(graph: Graph, network: Upscaler) -> None:
    picture = graph.input("picture", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    scales = graph.floats("factor", [1.0, 1.0, float(FACTOR), float(FACTOR)])
    base = graph.node(
        "Resize", picture, "", scales, mode="cubic", cubic_coeff_a=-0.75, coordinate_transformation_mode="half_pixel"
    )
    hidden = sequential(graph, network.blocks, "blocks", convolution(graph, network.enter, "enter", picture))
    details = convolution(graph, network.leave, "leave", hidden)
    shuffled = graph.node("DepthToSpace", details, blocksize=FACTOR, mode="CRD")
    graph.output(
        "picture_large", clipped(graph, graph.node("Add", base, shuffled)), ["batch", 3, "height_large", "width_large"]
    )


def unscaled(graph: Graph, scale: LatentScale, latents: str) -> str:
    """Unit variance back to the autoencoder's own scale."""
    centre, deviation = constants(graph, scale)
    return graph.node("Add", graph.node("Mul", latents, deviation), centre)


def constants(graph: Graph, scale: LatentScale) -> tuple[str, str]:
    shape = [1, LATENT_CHANNELS, 1, 1]
    return graph.floats("latent_mean", scale.mean, shape), graph.floats("latent_deviation", scale.deviation, shape)


def clipped(graph: Graph, picture: str) -> str:
    return graph.node("Clip", picture, graph.float(-1.0), graph.float(1.0))
