"""Series of metrics as columns: cut to the size of a chart, and remembered in derived files."""
