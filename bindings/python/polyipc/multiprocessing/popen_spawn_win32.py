"""multiprocessing.popen_spawn_win32, CPython's own. Importing it fails where CPython's does."""

import sys
from multiprocessing import popen_spawn_win32

sys.modules[__name__] = popen_spawn_win32
