"""A small site, so that what tracing adds stands out: one view, three queries, one AWS call."""
