"""How networks learn: optimiser, schedule, resumable loop, progress."""
