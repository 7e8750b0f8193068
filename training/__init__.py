"""Trains `ember`, Hearth's starter text-to-image model, from openly licensed pictures. See README.md."""
