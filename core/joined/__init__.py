"""Several runs as one: joined by example id where they asked the same of the same examples, or the reason why not.

What comes out is an ordinary run's folder under the first run's ``derived/``, so that comparisons, pages and reports work on it
unchanged. It can be thrown away at any time, and is made again when any of its runs has changed.
"""
