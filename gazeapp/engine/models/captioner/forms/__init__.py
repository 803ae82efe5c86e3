"""Captioners with the arrangement of layers of checkpoints from elsewhere."""
