"""The AWS CLI, of which most of a command's time is the import of itself: imported once."""
