"""Sending on to AWS X-Ray what arrives here."""

# What one local X-Ray sends on has this header: another that sends on as well refuses it, else
# segments could go round for ever. AWS does not look at it.
FORWARDED_HEADER = "X-Xray-Local-Forwarded"
