"""multiprocessing.popen_fork, CPython's own. How fork starts a child."""

import sys
from multiprocessing import popen_fork
from multiprocessing.popen_fork import *  # noqa: F403 - for those who read types

sys.modules[__name__] = popen_fork
