"""The rest of a registration's life: its credential replaced, its work drained, the cluster let go.

State machines over live clusters and one stack. Where they stand is written down in the stack file and on the
clusters and nowhere else, so that they may be interrupted anywhere and begun again by anybody.
"""
