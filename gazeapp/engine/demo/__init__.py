"""The demo world: drawn scenes with captions, and simulated observers whose density is known."""
