"""What pages share: each part owns its widgets and returns a value."""
