"""Pictures to learn from: fetched, drawn, moved a little and put on backgrounds."""
