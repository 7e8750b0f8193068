"""Text encoder and denoiser learn together: flow matching on the latents, prompts from the grammar."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from training.device import choose_device, half_precision
from training.learning.checkpoint import Learner, begin, read_average
from training.learning.loop import Lesson, checkpoint_path, learn
from training.learning.optimisers import muon_and_adamw
from training.learning.schedule import Plan
from training.networks.denoiser import ADAMW_PARTS, Denoiser, draft_loss
from training.networks.text_encoder import TextEncoder
from training.settings import Settings
from training.stages.grid import write_grid
from training.stages.make_latents import Latents, read_latents
from training.stages.names import DENOISER, DRAFT
from training.stages.sample import draw_scenes, held_out_scenes, load_decoder
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.prompts import (
    COLOURED_PART,
    COLOURED_TEMPLATES,
    FULL_TEMPLATES,
    PARTIAL_PART,
    PARTIAL_TEMPLATES,
    TEMPLATES,
    Scene,
    describe,
)
from training.vocabulary.tokenizer import PROMPT_TOKENS, read_vocabulary, tokenize

# So many prompts are replaced by the empty one, against which guidance compares.
DROPPED_PART = 0.1
# Times come from a logistic-normal distribution leaning to the picture: the draft knows already what noise hides, and
# what it leaves open shows only when t times its deviation (about a quarter) outgrows 1 - t. Some are even, so that
# none is unknown.
TIME_MEAN, TIME_DEVIATION = 0.7, 1.1
EVEN_TIMES_PART = 0.2
DRAFT_WEIGHT = 0.25

# The grid shown while training: these objects, in this order, in both styles.
GRID_EVERY_OBJECTS = 7


class TextToLatents(nn.Module):
    """What is trained as one: words to context, context and noise to velocity."""

    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = TextEncoder(len(read_vocabulary()))
        self.denoiser = Denoiser()


def train_denoiser(settings: Settings) -> None:
    device = choose_device()
    latents = read_latents(settings)
    stored = latents.latents.to(device)
    prompts = prompt_table(latents, device)
    empty = empty_prompt(device)
    torch.manual_seed(settings.seed)
    network = TextToLatents().to(device, memory_format=torch.channels_last)
    begin_from_draft(network, settings)
    plan = Plan(steps=settings.denoiser_steps, rate=2e-3, warm_up=100, fall=0.5, average=settings.denoiser_average)

    def batch_loss(random: torch.Generator) -> Tensor:
        count = settings.denoiser_batch
        rows = torch.randint(len(stored), (count,), generator=random, device=device)
        pictures = stored[rows].contiguous(memory_format=torch.channels_last)
        numbers = choose_prompts(prompts[rows], empty, random)
        noise = torch.randn(pictures.shape, generator=random, device=device)
        times = random_times(count, random)
        t = times[:, None, None, None]
        with half_precision(device):
            context = network.text_encoder(numbers)
            velocity, drafted = network.denoiser.velocity_and_draft((1 - t) * noise + t * pictures, times, context)
        off = (velocity.float() - (pictures - noise)).square().mean()
        return off + DRAFT_WEIGHT * draft_loss(drafted, pictures)

    def look(learner: Learner) -> None:
        shown = TextToLatents().to(device)
        shown.load_state_dict(learner.average)
        scenes = [s for s in held_out_scenes() if s.thing % GRID_EVERY_OBJECTS == 0]
        pictures = draw_scenes(scenes, shown, load_decoder(settings).to(device), latents, settings=settings)
        write_grid(pictures.cpu(), settings.path(f"grids/{DENOISER}-{learner.step:06d}.png"), columns=16)

    learner = begin(network, muon_and_adamw(network, plan.rate, ADAMW_PARTS))
    learn(Lesson(DENOISER, settings.denoiser_batch, plan, batch_loss, device, look), learner, settings)


def begin_from_draft(network: TextToLatents, settings: Settings) -> None:
    """Takes over what words mean, if that was learnt before."""
    path = checkpoint_path(settings, DRAFT)
    if path.exists():
        network.load_state_dict(read_average(path))


def empty_prompt(device: torch.device) -> Tensor:
    return torch.tensor(tokenize("").numbers, device=device)


def prompt_table(latents: Latents, device: torch.device) -> Tensor:
    """[latents, templates, tokens]: each latent's prompts in the order of TEMPLATES."""

    @cache
    def prompts(thing: int, style: int, colour: int, said: int) -> list[tuple[int, ...]]:
        return [tokenize(describe(Scene(thing, style, colour), template, said)).numbers for template in TEMPLATES]

    scenes = zip(latents.things.tolist(), latents.styles.tolist(), latents.colours.tolist(), strict=True)
    # Rows are in random order, so the colours said in turn are random too.
    rows = [prompts(*scene, number % len(COLOUR_NAMES)) for number, scene in enumerate(scenes)]
    return torch.tensor(rows, dtype=torch.int16, device=device)


def choose_prompts(prompts: Tensor, empty: Tensor, random: torch.Generator) -> Tensor:
    """One prompt for each row of [batch, templates, tokens]: mostly full ones, now and then another kind, or none."""
    count, device = len(prompts), prompts.device
    kinds = (len(FULL_TEMPLATES), len(PARTIAL_TEMPLATES), len(COLOURED_TEMPLATES))
    full, partial, coloured = (torch.randint(kind, (count,), generator=random, device=device) for kind in kinds)
    chance = torch.rand(count, generator=random, device=device)
    chosen = torch.where(chance < PARTIAL_PART, kinds[0] + partial, full)
    is_coloured = (chance >= PARTIAL_PART) & (chance < PARTIAL_PART + COLOURED_PART)
    chosen = torch.where(is_coloured, kinds[0] + kinds[1] + coloured, chosen)
    numbers = prompts.long().gather(1, chosen[:, None, None].expand(-1, 1, PROMPT_TOKENS)).squeeze(1)
    return torch.where((chance > 1 - DROPPED_PART)[:, None], empty, numbers)


def random_times(count: int, random: torch.Generator) -> Tensor:
    normal = torch.randn(count, generator=random, device=random.device)
    even = torch.rand(count, generator=random, device=random.device)
    kind = torch.rand(count, generator=random, device=random.device)
    return torch.where(kind < EVEN_TIMES_PART, even, torch.sigmoid(TIME_MEAN + TIME_DEVIATION * normal))
