"""The daemon: it follows every source by itself, until it is stopped."""
