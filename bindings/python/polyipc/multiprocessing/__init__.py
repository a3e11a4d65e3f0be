"""What programs know from multiprocessing, on top of polyipc: so far its managers."""
