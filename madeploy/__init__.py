"""madeploy deploys the Michelangelo machine-learning platform and proves what it deploys."""

__version__ = "0.1.0"
