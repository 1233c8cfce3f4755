"""The developers' commands: what `make` calls. Nothing here ships."""
