"""A run computed by the workers of a Ray cluster, on one machine or on many. Ray is imported by `connection` alone."""
