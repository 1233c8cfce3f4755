"""Sending on to AWS X-Ray what arrives here."""
