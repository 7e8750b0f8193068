"""The steps from pictures to a finished model, in the order in which they run."""
