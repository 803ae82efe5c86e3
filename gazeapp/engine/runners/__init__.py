"""Runners: scripts with libraries of their own, run in environments of their own, that exchange files."""
