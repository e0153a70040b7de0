"""Search as of a version: analysis, scoring, fusion, and hits with their provenance."""
