"""Identity providers and the settings that follow."""
