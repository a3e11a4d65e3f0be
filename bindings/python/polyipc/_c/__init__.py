"""The only part that knows ctypes: libpolyipc and its functions as Python sees them.

Everything here takes and returns ints, str and bytes, and a status instead of raising: what a
status means for the caller is decided one floor up. library has what is common; each noun has a
module of its own, called by the noun's public one.
"""
