"""multiprocessing.process, CPython's own. Processes."""

import sys
from multiprocessing import process
from multiprocessing.process import *  # noqa: F403 - for those who read types

sys.modules[__name__] = process
