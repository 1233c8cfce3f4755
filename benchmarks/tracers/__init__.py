"""How each tracer is set up: `start()` does so, Django included, and returns what flushes it."""
