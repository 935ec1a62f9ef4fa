"""Findings: what any check has to say, in one shape, for people and for machines.

Imports nothing else of ours, so that every layer may report through it.
"""

from madeploy.findings.codes import CODES, Code
from madeploy.findings.model import Finding, Location, Severity, exit_code, find, in_order

__all__ = ["CODES", "Code", "Finding", "Location", "Severity", "exit_code", "find", "in_order"]
