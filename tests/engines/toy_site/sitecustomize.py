"""Has every process of a test know the toy engine: the one line that a new engine is in `backends/engines.py`."""

import os

from toy_engine.engine import ENGINE

from cyclescope.backends import engines

engines.ENGINES += (ENGINE,)
if os.environ.get("TOY_ALONE"):  # the reference beside it, for tests that would try every engine
    engines.ENGINES = (engines.ENGINES[0], ENGINE)
