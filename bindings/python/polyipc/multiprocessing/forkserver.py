"""multiprocessing.forkserver, CPython's own. The server process of the forkserver start method."""

import sys
from multiprocessing import forkserver
from multiprocessing.forkserver import *  # noqa: F403 - for those who read types

sys.modules[__name__] = forkserver
