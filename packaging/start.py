"""Run the command line with the packages that lie beside this file.

kubectl's help is there in 50 ms, and so should ours be. Python with Click takes 70: what is not
needed for help is therefore imported late, here and in the plugin.
"""

import gc
import os
import sys
from types import ModuleType

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("error: Python 3.10 or later is needed; KUBECTL_SCRATCH_PYTHON names an older one")


class LateModule(ModuleType):
    """Stand in for a module until something of it is used.

    importlib's LazyLoader loads it already when a second module imports it.
    """

    def __getattr__(self, name):
        """Load the module, and become it."""
        sys.modules.pop(self.__name__, None)
        self.__dict__.update(__import__(self.__name__).__dict__)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None


def start():
    """Import the command line, and run it."""
    # What is imported does not become garbage.
    gc.disable()
    # Click and dataclasses import it, and with it Python's parser, for what they do rarely.
    sys.modules["inspect"] = LateModule("inspect")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from kubectl_scratch.cli import main

    gc.enable()
    main()


start()
