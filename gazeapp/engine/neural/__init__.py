"""Brain responses: reading them, regions, encoding models, and what it takes to draw a cortex."""
