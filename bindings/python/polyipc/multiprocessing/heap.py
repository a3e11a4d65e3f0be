"""multiprocessing.heap, CPython's own: memory that its BufferWrapper cuts blocks from."""

import sys
from multiprocessing import heap
from multiprocessing.heap import *  # noqa: F403 - for those who read types

sys.modules[__name__] = heap
