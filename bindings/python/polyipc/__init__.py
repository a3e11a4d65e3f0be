"""polyipc: queues, pipes, shared memory and managers between Python, Go and C processes."""
