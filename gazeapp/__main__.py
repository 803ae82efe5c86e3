"""``python -m gazeapp``."""

from gazeapp.cli import main

if __name__ == "__main__":
    main(prog_name="gazeapp")
