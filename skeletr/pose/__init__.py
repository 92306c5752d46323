"""Frames to people: pose frontends and where their model files come from."""
