"""ZeroMQ over ipc:// with pyzmq: PAIR to PAIR also one way, to stand beside pipes."""

from __future__ import annotations

from bench.peers import pyzmq


class Peer(pyzmq.Peer):
    """Nothing but addresses: sockets do not survive a fork."""

    one_way = ("PAIR", "PAIR")
