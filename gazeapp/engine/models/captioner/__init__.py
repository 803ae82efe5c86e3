"""Captioners: encoder x decoder image captioners that say where they attend for each word."""
