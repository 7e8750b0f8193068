"""Engines: what opens a model's files and computes with them. One family per worker process."""
