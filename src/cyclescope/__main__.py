"""`python -m cyclescope`."""

from cyclescope.cli.main import run

if __name__ == "__main__":
    run()
