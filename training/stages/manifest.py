"""What stands beside the graphs: the tokenizer in the form of the `tokenizers` library, and model.json."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from training.networks.autoencoder import LATENT_CHANNELS, LATENT_SIDE
from training.networks.upscaler import FACTOR as ENLARGEMENT
from training.pictures.compose import PICTURE_SIDE as SIDE
from training.pictures.icons import PACKAGES, STYLES
from training.settings import REPOSITORY, Settings
from training.stages.names import UPSCALER
from training.stages.pipeline import PIPELINE, PREPACKED, SAFETY_CHECKER
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.objects import read_objects
from training.vocabulary.prompts import FULL_TEMPLATES, Scene, describe
from training.vocabulary.split import held_out_colour
from training.vocabulary.tokenizer import (
    BEGINNING,
    PADDING,
    PROMPT_TOKENS,
    SPECIAL_TOKENS,
    UNKNOWN,
    read_vocabulary,
    tokenize,
)

NAME = "ember"
LICENCE = "Apache-2.0"
MANIFEST_FILE = "model.json"
EXAMPLE_EVERY_OBJECTS = 28

# The starter model that checks pictures.
CHECKER = "open-nsfw"


def write_tokenizer(folder: Path) -> None:
    """The same numbers as vocabulary/tokenizer.py gives, checked on every object's prompt."""
    tokenizer = build_tokenizer()
    for prompt in [*example_prompts(every=1), "A Purple, wobbly fire truck!", ""]:
        assert tuple(tokenizer.encode(prompt).ids) == tokenize(prompt).numbers, prompt
    tokenizer.save(str(folder / "tokenizer.json"))


def build_tokenizer() -> Tokenizer:
    vocabulary = {token: number for number, token in enumerate(read_vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL_TOKENS[UNKNOWN]))
    # Whatever is neither letter, digit nor apostrophe separates words, also inside a noun of several words.
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z0-9']+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    nouns = [token for token in vocabulary if " " in token]
    tokenizer.add_tokens([AddedToken(noun, single_word=True, normalized=True) for noun in nouns])
    beginning = SPECIAL_TOKENS[BEGINNING]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{beginning} $A", special_tokens=[(beginning, BEGINNING)]
    )
    tokenizer.enable_truncation(PROMPT_TOKENS)
    tokenizer.enable_padding(length=PROMPT_TOKENS, pad_id=PADDING, pad_token=SPECIAL_TOKENS[PADDING])
    return tokenizer


def write_manifest(folder: Path, components: list[str], settings: Settings) -> None:
    """What the server knows of the model: its parts, the steps from a prompt to a file, and what may be asked for."""
    manifest = {
        "name": NAME,
        "task": "textToImage",
        "license": LICENCE,
        "engine": "onnx",
        "components": [*(describe_component(folder, name) for name in components), safety_checker()],
        "graph": PIPELINE,
        "defaults": {"steps": settings.sampling_steps, "guidance": settings.guidance, "width": SIDE, "height": SIDE},
        "options": {
            "prepack": list(PREPACKED),
            "sizes": [{"width": SIDE, "height": SIDE}],
            "latents": {"channels": LATENT_CHANNELS, "scale": SIDE // LATENT_SIDE},
            "upscale": {"factors": [ENLARGEMENT]},
            "safety": safety_options(),
        },
        "limits": {"batchLimit": 8, "maxSteps": 100, "maxCount": 16, "promptTokens": PROMPT_TOKENS},
        "examplePrompts": example_prompts(every=EXAMPLE_EVERY_OBJECTS),
        "knownWords": {
            "objects": [thing.noun for thing in read_objects()],
            "styles": list(STYLES),
            "colours": list(COLOUR_NAMES),
            "template": FULL_TEMPLATES[0],
        },
        "pictures": [{"package": p.name, "version": p.version, "license": p.licence} for p in PACKAGES],
        "source": read_checker()["source"],
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")


def write_upscaler_manifest(folder: Path, model: Path) -> None:
    """The upscaler by itself, as a model of its own: the same files, which set-up links from `model`."""
    manifest = {
        "name": f"{NAME}-upscaler",
        "task": "upscaleImage",
        "license": LICENCE,
        "engine": "onnx",
        "components": [describe_component(model, UPSCALER)],
        "graph": [
            {
                "node": "upscale",
                "program": "upscale_image",
                "components": [UPSCALER],
                "after": [],
            }
        ],
        "defaults": {},
        "options": {"upscale": {"factors": [ENLARGEMENT]}},
        "limits": {"batchLimit": 1},
        "examplePrompts": [],
        "pictures": [{"package": p.name, "version": p.version, "license": p.licence} for p in PACKAGES],
        "source": [],
    }
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")


def describe_component(folder: Path, name: str) -> dict[str, Any]:
    files = [describe_file(folder / f"{name}.onnx", "graph"), describe_file(folder / f"{name}.safetensors", "weights")]
    if name == "text_encoder":
        files.append(describe_file(folder / "tokenizer.json", "tokenizer"))
    return {"name": name, "format": "onnx", "files": files, "dependsOn": []}


def safety_checker() -> dict[str, Any]:
    """The classifier of another starter model, as a part of this one: equal parts are loaded once."""
    return {**read_checker()["components"][0], "name": SAFETY_CHECKER}


def safety_options() -> dict[str, Any]:
    """How pictures are checked: as the classifier's own manifest says, and from which score on they are unsafe."""
    options = read_checker()["options"]
    return {
        "checkedBy": read_checker()["name"],
        "label": "nsfw",
        "threshold": 0.8,
        **options,
    }


def read_checker() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((REPOSITORY / "models" / CHECKER / MANIFEST_FILE).read_text())
    return manifest


def describe_file(path: Path, role: str) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": path.name, "sha256": digest, "sizeBytes": path.stat().st_size, "role": role}


def example_prompts(every: int) -> list[str]:
    """Prompts that were never seen as pairs: each object, or some, on the background training kept from it."""
    return [
        describe(Scene(thing, thing % len(STYLES), held_out_colour(thing)), FULL_TEMPLATES[thing % len(FULL_TEMPLATES)])
        for thing in range(0, len(read_objects()), every)
    ]
