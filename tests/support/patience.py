"""How long tests wait for what must come.

It comes at once, or late on a busy machine; only what never comes is waited for so long. With a
mutant that is what a test is to find out, so there it takes less.
"""

import os

PATIENCE = float(os.environ.get("SCRATCH_TEST_PATIENCE", "180"))
