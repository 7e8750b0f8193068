"""The naive design: a process for one text. It imports an engine, loads the model, embeds, answers in JSON with base64, and ends.

    echo '{"text": "..."}' | python embed.py MODEL_FOLDER

The model, its session options and its tokeniser are those of Hearth.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

ERRORS_ONLY = 3

folder = Path(sys.argv[1])
request = json.loads(sys.stdin.readline())
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.log_severity_level = ERRORS_ONLY
session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
ids = np.array([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(request["text"]).ids], np.int64)
values = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
vector = session.run(None, {port.name: values[port.name] for port in session.get_inputs()})[0]
print(json.dumps({"shape": vector.shape, "data": base64.b64encode(vector.tobytes()).decode("ascii")}))
