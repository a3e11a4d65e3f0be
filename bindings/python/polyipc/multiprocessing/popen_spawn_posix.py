"""multiprocessing.popen_spawn_posix, CPython's own. How spawn starts a child."""

import sys
from multiprocessing import popen_spawn_posix
from multiprocessing.popen_spawn_posix import *  # noqa: F403 - for those who read types

sys.modules[__name__] = popen_spawn_posix
