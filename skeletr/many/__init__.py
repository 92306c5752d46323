"""Many videos: by one process, by several, or by a Ray cluster; each in the same way."""
