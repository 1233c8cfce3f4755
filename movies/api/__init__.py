"""The catalogue as JSON, under /api/: every page's twin, described by /api/openapi.json."""
