"""Regions of the cortex: the atlas that is always there, files of others, groups, and regions picked by hand."""
