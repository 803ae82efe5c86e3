"""Vision-language models: captions with a map for each word over each part of the image."""
