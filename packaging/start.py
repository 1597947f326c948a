"""Run the command line with the packages that lie beside this file.

kubectl's help is there in 50 ms, and so should ours be. Python with Click takes 70: what is not
needed for help is therefore imported late, here and in the plugin.
"""

import gc
import os
import signal
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
        self.__dict__.update(load(self.__name__).__dict__)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None


def load(name):
    """Load a module in the place of what stands in for it."""
    if isinstance(sys.modules.get(name), LateModule):
        del sys.modules[name]
    __import__(name)
    return sys.modules[name]


def stand_in(name, **known):
    """Have a module loaded late, but for what is known of it."""
    sys.modules[name] = LateModule(name)
    sys.modules[name].__dict__.update(known)


def version(package):
    """Return a package's version."""
    return load("importlib.metadata").version(package)


def start():
    """Import the command line, and run it."""
    # Meanwhile ^C ends us as any program, without a word: nothing was created.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is imported does not become garbage.
    gc.disable()
    # Click and dataclasses import it, and with it Python's parser, for what they do rarely.
    stand_in("inspect")
    # urllib3, for HTTP/2; it asks whether that is a package.
    stand_in("importlib.metadata", version=version, __path__=[])
    # The Python client, to count the processors.
    stand_in("multiprocessing", cpu_count=os.cpu_count)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from kubectl_scratch.cli.main import main

    # Nor what a verb imports; a session of hours still has its rare cycles collected.
    gc.set_threshold(20_000)
    gc.enable()
    main()


start()
