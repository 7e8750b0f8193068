"""Writes the model as it ships: ONNX graphs over float16 safetensors, tokenizer, manifest; and proves it.

Every component is computed once by ONNX Runtime and once by torch from the same float16 weights; the greatest
difference must stay below a tolerance. Then one picture is drawn the way a program will draw it, on one core.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from training.learning.checkpoint import read_average
from training.learning.loop import checkpoint_path
from training.learning.progress import say
from training.networks.preview_decoder import PreviewDecoder
from training.networks.upscaler import Upscaler
from training.onnx_graphs import components
from training.onnx_graphs.components import LatentScale
from training.onnx_graphs.graph import Graph
from training.onnx_graphs.stored_weights import store_weights
from training.settings import Settings
from training.stages.make_latents import load_encoder, read_latents
from training.stages.manifest import write_manifest, write_tokenizer, write_upscaler_manifest
from training.stages.model_card import write_model_card
from training.stages.names import DENOISER, EXPORT_FOLDER, PREVIEW, PROOF_FILE, UPSCALER, UPSCALER_EXPORT_FOLDER
from training.stages.prove_export import Proof, prove, time_one_picture
from training.stages.sample import load_decoder
from training.stages.train_denoiser import TextToLatents

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Component:
    """A network, how it becomes a graph, and what torch computes from the graph's inputs, in their order."""

    name: str
    network: nn.Module
    draw_graph: Callable[[Graph], None]
    reference: Callable[..., Tensor]
    inputs: tuple[Tensor, ...]


def export(settings: Settings) -> None:
    folder = settings.path(EXPORT_FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    proofs: list[Proof] = []
    for component in read_components(settings):
        write_component(component, folder)
        proofs.append(prove(component.name, folder, component.reference, component.inputs))
    write_tokenizer(folder)
    write_manifest(folder, [proof.name for proof in proofs], settings)
    write_upscaler_manifest(settings.path(UPSCALER_EXPORT_FOLDER), folder)
    speed = time_one_picture(folder, settings)
    report = {"components": [vars(proof) for proof in proofs], "milliseconds": speed}
    settings.path(PROOF_FILE).write_text(json.dumps(report, indent=2) + "\n")
    write_model_card(settings, folder, report)
    for proof in proofs:
        say(f"{proof.name}: {proof.megabytes:.2f} MB, greatest difference to torch {proof.greatest_difference:.2e}")
    say("the bytes of a row depend neither on its batch nor on threads")
    say(f"one picture on one core: {speed}")


def write_component(component: Component, folder: Path) -> None:
    """`NAME.safetensors` and `NAME.onnx`. Rounds the network's own weights, so that the proof compares equals."""
    weights = component.network.state_dict()
    component.network.load_state_dict({name: value.half().float() for name, value in weights.items()})
    stored = store_weights(weights, folder / f"{component.name}.safetensors")
    graph = Graph(component.name, stored)
    component.draw_graph(graph)
    graph.write(folder / f"{component.name}.onnx")


@torch.no_grad()
def read_components(settings: Settings) -> list[Component]:
    latents = read_latents(settings)
    scale = LatentScale(latents.mean.flatten().tolist(), latents.deviation.flatten().tolist())
    both = loaded(TextToLatents(), settings, DENOISER)
    encoder, decoder = load_encoder(settings), load_decoder(settings)
    preview, upscaler = loaded(PreviewDecoder(), settings, PREVIEW), loaded(Upscaler(), settings, UPSCALER)

    torch.manual_seed(settings.seed)
    some_latents, times, pictures = (
        torch.randn(3, 4, 16, 16),
        torch.tensor([0.0, 0.4, 0.95]),
        torch.rand(3, 3, 64, 64) * 2 - 1,
    )
    numbers = torch.randint(3, 200, (3, 16))
    context = torch.randn(3, 16, 192)

    def raw(x: Tensor) -> Tensor:
        return x * latents.deviation + latents.mean

    return [
        Component(
            "text_encoder",
            both.text_encoder,
            lambda graph: components.text_encoder(graph, both.text_encoder),
            both.text_encoder,
            (numbers,),
        ),
        Component(
            "unet",
            both.denoiser,
            lambda graph: components.unet(graph, both.denoiser),
            both.denoiser,
            (some_latents, times, context),
        ),
        Component(
            "vae_decoder",
            decoder,
            lambda graph: components.vae_decoder(graph, decoder, scale),
            lambda x: decoder(raw(x)).clamp(-1, 1),
            (some_latents,),
        ),
        Component(
            "vae_encoder",
            encoder,
            lambda graph: components.vae_encoder(graph, encoder, scale),
            lambda x: (encoder(x)[0] - latents.mean) / latents.deviation,
            (pictures,),
        ),
        Component(
            "preview_decoder",
            preview,
            lambda graph: components.preview_decoder(graph, preview, scale),
            lambda x: preview(raw(x)).clamp(-1, 1),
            (some_latents,),
        ),
        Component(
            "upscaler",
            upscaler,
            lambda graph: components.upscaler(graph, upscaler),
            lambda x: upscaler(x).clamp(-1, 1),
            (pictures,),
        ),
    ]


def loaded(network: Network, settings: Settings, name: str) -> Network:
    network.load_state_dict(read_average(checkpoint_path(settings, name)))
    return network.eval()
