"""multiprocessing.dummy, CPython's own: its names for threads, where nothing needs polyipc."""

import sys
from multiprocessing import dummy
from multiprocessing.dummy import *  # noqa: F403 - for those who read types
from multiprocessing.dummy import connection

sys.modules[__name__] = dummy
sys.modules[f"{__name__}.connection"] = connection
