"""The programs that are measured. Each is started as a process of its own and imports only what its side
of the comparison needs."""
