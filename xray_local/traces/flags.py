"""How a part of a trace went, and what it is on the service map: a bit for each.

The bits are in the order of the fields of `tallies.Shape`, and are stored so.
"""

NODE, OK, ERROR, FAULT, THROTTLE, OPEN, INFERRED, ROOT = (1 << bit for bit in range(8))
FLAGS = 8
