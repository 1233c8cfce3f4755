"""The operations of the X-Ray API, by what they are about."""
