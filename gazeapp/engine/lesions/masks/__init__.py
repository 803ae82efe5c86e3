"""Masks: which part of an image is taken away."""
