"""The wire: frames, messages and tensors (PROTOCOL.md sections 2 to 4). Knows nothing of tasks or engines."""
