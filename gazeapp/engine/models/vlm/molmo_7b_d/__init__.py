"""Molmo 7B-D (0924) in the app's own words: preprocessing, layout, network and loading."""
