"""The cortex as a surface: its meshes, and pictures of values on it that are drawn without a graphics card."""
