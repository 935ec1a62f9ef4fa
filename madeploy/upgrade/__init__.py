"""The way of a running environment from one release of the platform to the next."""
