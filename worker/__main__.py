"""`python -m worker` is the command `vigil`."""

from worker.cli import main

if __name__ == "__main__":
    main()
