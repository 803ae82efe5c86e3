"""Bringing captioners that were trained elsewhere: their checkpoints become captioners of gazeapp."""
