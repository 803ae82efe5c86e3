"""Training pictures and captions."""
