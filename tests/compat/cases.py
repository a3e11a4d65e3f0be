"""The test cases, in a module that processes under every start method can import by name."""

from __future__ import annotations

import os

import swap

METHOD = os.environ["COMPAT_METHOD"]

swap.suite().install_tests_in_module_dict(globals(), METHOD)
