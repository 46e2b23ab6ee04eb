"""The data behind the pages: runs as columns, series as buckets, groups and summaries."""
