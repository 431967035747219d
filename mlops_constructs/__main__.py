"""``python -m mlops_constructs`` is the ``mlops`` command."""

from .cli import main

raise SystemExit(main())
