"""How long tests wait for what must come.

It comes at once, or late on a busy machine; only what never comes is waited for so long.
"""

PATIENCE = 180.0
