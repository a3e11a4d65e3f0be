"""multiprocessing.resource_sharer, CPython's own. How descriptors reach others."""

import sys
from multiprocessing import resource_sharer
from multiprocessing.resource_sharer import *  # noqa: F403 - for those who read types

sys.modules[__name__] = resource_sharer
