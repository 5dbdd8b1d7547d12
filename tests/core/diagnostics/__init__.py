"""Tests of the data behind the pictures of one metric."""
