"""The command line's frame and the commands that read; `indexer.cli` adds those that write."""
