"""What the project relies on in provider plugins, tried on the real engine and real API servers.

One suite for the official plugins and for the offline stand-ins: `MADEPLOY_PLUGINS=official|offline` says
which; where it is not set, installed official plugins are tried and stand-ins otherwise. A test that names
one kind of plugin says why the other is not held to it."""
