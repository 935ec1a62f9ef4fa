"""What options of providers and resources do in the plugins, as far as the program's design stands on it.

Whatever plugin serves must behave like this. Where the official one and the one built from source differ,
being of different versions, the test says which does what.
"""
