"""Identity providers: what one says of itself, and the settings that follow."""
