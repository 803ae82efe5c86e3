"""Finding vision-language models, checking, downloading and loading them; listing and planning need no torch."""
