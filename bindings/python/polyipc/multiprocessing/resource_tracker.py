"""multiprocessing.resource_tracker, CPython's own. It removes what others left."""

import sys
from multiprocessing import resource_tracker
from multiprocessing.resource_tracker import *  # noqa: F403 - for those who read types

sys.modules[__name__] = resource_tracker
