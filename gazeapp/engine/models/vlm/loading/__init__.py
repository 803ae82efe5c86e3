"""Finding vision-language models, checking them, and loading them. Only `load` and `plan` import torch."""
