"""A compute cluster's life: onboarding, adoption, verification, status, rotation, drain, removal.

Rotation and removal are state machines over live clusters and one stack. Where they stand is
written down in the stack file and on the clusters and nowhere else, so that they may be interrupted anywhere
and begun again by anybody.
"""
