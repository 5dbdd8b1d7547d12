"""Work done in a process of its own: `launch` starts, watches and stops it; `worker` runs one kind of job."""
