"""multiprocessing.util, CPython's own. Logging, finalizers and the like."""

import sys
from multiprocessing import util
from multiprocessing.util import *  # noqa: F403 - for those who read types

sys.modules[__name__] = util
