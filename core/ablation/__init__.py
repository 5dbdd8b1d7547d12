"""Which choice made the difference: what the adapters of a run differ in, and what can be said of it from their evidence.

Read from files alone, no torch. A run's adapters are an experiment that somebody has done, well planned or not: this package says
what the design carries and no more.
"""
