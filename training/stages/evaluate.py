"""All scores of a run, on prompts never seen as pairs.

Those are each object in each style on the one background it was never shown on. Printed, and written to scores.json,
from which the model card is made.
"""

from __future__ import annotations

import json

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.device import choose_device
from training.learning.checkpoint import read_average, steps_done
from training.learning.loop import checkpoint_path
from training.learning.progress import say
from training.networks.judge import Judge
from training.networks.upscaler import FACTOR, Upscaler
from training.pictures.album import Album, open_album
from training.pictures.compose import NARROW, PALETTE, PICTURE_SIDE, STILL, show_rows
from training.settings import Settings
from training.stages.grid import write_grid
from training.stages.make_latents import load_encoder, read_latents
from training.stages.names import DENOISER, JUDGE, SCORES_FILE, UPSCALER
from training.stages.sample import draw_scenes, held_out_scenes, load_decoder
from training.stages.train_denoiser import TextToLatents
from training.stages.train_upscaler import shrink
from training.vocabulary.objects import read_objects
from training.vocabulary.prompts import Scene

GRID_FILE = "grids/evaluation.png"
GRID_COLUMNS = 16
BORDER = 3
TOP = 5

Scores = dict[str, float | int]


def evaluate(settings: Settings) -> None:
    device = choose_device()
    album = open_album(settings.folder)
    judge = load_judge(settings).to(device)
    scores: Scores = {"objects": len(read_objects()), "denoiserSteps": steps_done(checkpoint_path(settings, DENOISER))}
    scores |= judge_scores(album, judge, settings.seed)
    scores |= autoencoder_scores(album, settings)
    scores |= upscaler_scores(album, settings)
    scores |= picture_scores(judge, settings, device)
    settings.path(SCORES_FILE).write_text(json.dumps(scores, indent=2) + "\n")
    for name, value in scores.items():
        say(f"{name:32s} {value:.4g}")


@torch.no_grad()
def judge_scores(album: Album, judge: Judge, seed: int) -> Scores:
    """The judge's own accuracy, on real drawings moved as training moves them, on backgrounds it never saw them on."""
    scenes = held_out_scenes()
    random = torch.Generator().manual_seed(seed)
    pictures = show_scenes(album, scenes, random)
    return {f"judge{name}": value for name, value in verdict(judge, pictures, scenes).items()}


@torch.no_grad()
def picture_scores(judge: Judge, settings: Settings, device: torch.device) -> Scores:
    """What the judge recognises in generated pictures, and whether their backgrounds are right."""
    scenes = held_out_scenes()
    network = TextToLatents()
    network.load_state_dict(read_average(checkpoint_path(settings, DENOISER)))
    pictures = draw_scenes(
        scenes, network.to(device).eval(), load_decoder(settings).to(device), read_latents(settings), settings=settings
    )
    write_grid(pictures, settings.path(GRID_FILE), GRID_COLUMNS)
    scores = {f"picture{name}": value for name, value in verdict(judge, pictures, scenes).items()}
    scores["pictureBackground"] = background_accuracy(pictures, scenes)
    return scores


def show_scenes(album: Album, scenes: list[Scene], random: torch.Generator) -> Tensor:
    rows = album.objects[[s.thing for s in scenes], [s.style for s in scenes]]
    return show_rows(album, rows, torch.tensor([s.colour for s in scenes]), NARROW, random)


def verdict(judge: Judge, pictures: Tensor, scenes: list[Scene]) -> Scores:
    """Shares of pictures whose object (first guess, first five) and style the judge names."""
    device = next(judge.parameters()).device
    answers = [judge(part.to(device)) for part in pictures.split(64)]
    things = torch.cat([thing for thing, _ in answers]).topk(TOP, 1).indices.cpu()
    styles = torch.cat([style for _, style in answers]).argmax(1).cpu()
    wanted = torch.tensor([s.thing for s in scenes])[:, None]
    return {
        "ObjectTop1": share(things[:, :1] == wanted),
        "ObjectTop5": share((things == wanted).any(1)),
        "Style": share(styles == torch.tensor([s.style for s in scenes])),
    }


def background_accuracy(pictures: Tensor, scenes: list[Scene]) -> float:
    """Whether the median colour of a picture's border is nearest to the one asked for."""
    sides = [pictures[:, :, :BORDER], pictures[:, :, -BORDER:], pictures[..., :BORDER], pictures[..., -BORDER:]]
    border = torch.cat([side.flatten(2) for side in sides], 2).median(2).values / 2 + 0.5
    nearest = (border[:, None] - PALETTE).square().sum(2).argmin(1)
    return share(nearest == torch.tensor([s.colour for s in scenes]))


@torch.no_grad()
def autoencoder_scores(album: Album, settings: Settings) -> Scores:
    """Peak signal-to-noise ratio in dB of icons the autoencoder learnt from and of icons it never saw."""
    encoder, decoder = load_encoder(settings), load_decoder(settings)
    scores: Scores = {}
    for name, rows in (
        ("autoencoderUnseenDecibels", album.unseen),
        ("autoencoderObjectsDecibels", album.objects.ravel()),
    ):
        pictures = still_pictures(album, torch.from_numpy(rows))
        drawn = torch.cat([decoder(encoder(part)[0]) for part in pictures.split(32)])
        scores[name] = decibels(drawn, pictures)
    return scores


@torch.no_grad()
def upscaler_scores(album: Album, settings: Settings) -> Scores:
    """The upscaler beside bicubic enlargement, on icons it never saw."""
    upscaler = Upscaler()
    upscaler.load_state_dict(read_average(checkpoint_path(settings, UPSCALER)))
    large = still_pictures(album, torch.from_numpy(album.unseen), side=FACTOR * PICTURE_SIDE)
    small = shrink(large)
    drawn = torch.cat([upscaler(part) for part in small.split(16)])
    bicubic = F.interpolate(small, scale_factor=float(FACTOR), mode="bicubic", align_corners=False)
    return {"upscalerDecibels": decibels(drawn, large), "bicubicDecibels": decibels(bicubic, large)}


def still_pictures(album: Album, rows: Tensor, *, side: int = PICTURE_SIDE) -> Tensor:
    """Pictures at one size, in the middle, on backgrounds in turn."""
    colours = torch.arange(len(rows)) % len(PALETTE)
    return show_rows(album, rows.numpy(), colours, STILL, torch.Generator().manual_seed(0), side=side)


def decibels(drawn: Tensor, wanted: Tensor) -> float:
    """Mean over pictures of the peak signal-to-noise ratio; pictures are -1 to 1, so the peak is 2."""
    errors = (drawn.clamp(-1, 1) - wanted).square().mean((1, 2, 3))
    return float((10 * torch.log10(4 / errors.clamp_min(1e-10))).mean())


def load_judge(settings: Settings) -> Judge:
    judge = Judge(len(read_objects()))
    judge.load_state_dict(read_average(checkpoint_path(settings, JUDGE)))
    return judge.eval()


def share(hits: Tensor) -> float:
    return float(hits.float().mean())
