"""`python -m perennate.cli` is `perennate`."""

from __future__ import annotations

import sys

from perennate.cli.main import main

sys.exit(main())
