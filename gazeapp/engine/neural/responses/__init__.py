"""Brain responses from files: their formats, their images, their ceilings."""
