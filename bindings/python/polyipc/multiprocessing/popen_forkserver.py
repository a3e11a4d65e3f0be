"""multiprocessing.popen_forkserver, CPython's own. How forkserver starts a child."""

import sys
from multiprocessing import popen_forkserver
from multiprocessing.popen_forkserver import *  # noqa: F403 - for those who read types

sys.modules[__name__] = popen_forkserver
