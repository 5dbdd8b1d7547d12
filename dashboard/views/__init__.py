"""One page a file, a function `show`; importing a view draws nothing."""
