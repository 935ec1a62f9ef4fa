"""`python -m madeploy` is the command `madeploy`."""

from madeploy.cli.app import main

if __name__ == "__main__":
    main()
