"""Taking a part of the image away from a model."""
