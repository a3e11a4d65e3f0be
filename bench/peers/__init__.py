"""The queues that are measured, one file each. Those in C, C++ and Go are programs (worker.h);
those in Python are modules with a class Peer (api.py)."""
