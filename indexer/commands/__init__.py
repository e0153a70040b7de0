"""The commands that write, each a thin coat over a verb of the writer or, where one runs, of the daemon."""
