"""The indexer: the only writer; it reads sources, embeds the difference and publishes snapshots."""
