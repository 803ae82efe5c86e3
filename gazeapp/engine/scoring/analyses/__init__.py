"""Findings about a study: the design of the models, tasks, maps and scanpaths."""
