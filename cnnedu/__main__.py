"""``python -m cnnedu`` is the program ``cnnedu``."""

from cnnedu.program import main

if __name__ == "__main__":
    raise SystemExit(main())
