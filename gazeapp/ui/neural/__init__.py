"""The cortex on the screen, and what the neural panel needs beside it."""
