"""The policies' rules over a stack's objects and over files, whoever wrote them."""
