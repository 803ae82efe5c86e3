"""Intervals, tests and effect sizes over images and people."""
