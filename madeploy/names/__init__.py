"""Every name, namespace, label, port and address the toolkit derives: pure functions of settings.

Names that the platform's code or the guides fix are constants here (facts 0.3, 5.12; the guides)."""
