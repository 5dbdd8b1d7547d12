"""A run as a document that stands on its own: what it says is gathered once, and written in one format a file."""
