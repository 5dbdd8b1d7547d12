"""A user's own metrics: found in the workspace's ``metrics/`` folder, read without being run, and shown from what was stored.

No code of a workspace runs here: that is for a worker (`core.jobs.own_metrics`), and only after `core.trust.trust`.
"""
