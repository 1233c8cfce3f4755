"""Taking segments in: from the socket and the API to the store."""
