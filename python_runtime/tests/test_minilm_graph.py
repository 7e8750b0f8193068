"""The committed MiniLM graph: it computes the published sentence similarities from the unconverted weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tools.build_minilm_graph import SafetensorsHeader, build_model

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "models" / "all-minilm-l6-v2"

SENTENCES = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "Two men pushed carts through the woods.",
]


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"])


def test_similarities_are_those_of_the_original_model(session: onnxruntime.InferenceSession) -> None:
    food, bread, woods = embed(session, SENTENCES)
    assert food @ bread == pytest.approx(0.7553, abs=5e-5)
    assert food @ woods == pytest.approx(-0.0333, abs=5e-5)


def test_embeddings_have_unit_length(session: onnxruntime.InferenceSession) -> None:
    lengths = np.linalg.norm(embed(session, SENTENCES), axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-6)


def test_padding_and_company_do_not_change_an_embedding(session: onnxruntime.InferenceSession) -> None:
    alone = embed(session, SENTENCES[:1])[0]
    in_company = embed(session, [SENTENCES[0], " ".join(SENTENCES * 8)])[0]
    np.testing.assert_allclose(in_company, alone, atol=1e-5)


def test_the_committed_graph_is_what_its_builder_writes() -> None:
    weights = SafetensorsHeader.read(MODEL / "model.safetensors")
    rebuilt = build_model(weights).SerializeToString(deterministic=True)
    assert hashlib.sha256(rebuilt).hexdigest() == manifest_digest("model.onnx")
    assert rebuilt == (MODEL / "model.onnx").read_bytes()


def embed(session: onnxruntime.InferenceSession, texts: list[str]) -> NDArray[np.float32]:
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(texts)
    inputs = {
        "input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
        "attention_mask": np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
    }
    (embeddings,) = session.run(["embeddings"], inputs)
    return np.asarray(embeddings, dtype=np.float32)


def manifest_digest(path: str) -> str:
    manifest: dict[str, Any] = json.loads((MODEL / "model.json").read_text())
    files = [file for component in manifest["components"] for file in component["files"]]
    (digest,) = [file["sha256"] for file in files if file["path"] == path]
    return str(digest)
