"""What `make bench` runs: calls, speed and memory, each measured in a process of its own and shown beside its bound."""
