"""gazeapp: where people look and where vision-language models attend, on the same images."""

__version__ = "0.1.0"
