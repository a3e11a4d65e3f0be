"""Benchmarks of polyipc and its peers: make bench."""
