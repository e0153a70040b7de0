"""Embedders: the one door to the models."""
