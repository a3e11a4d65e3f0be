"""multiprocessing.spawn, CPython's own. What a new Python process begins with."""

import sys
from multiprocessing import spawn
from multiprocessing.spawn import *  # noqa: F403 - for those who read types

sys.modules[__name__] = spawn
