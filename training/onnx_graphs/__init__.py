"""The networks again, as ONNX graphs over safetensors weights."""
