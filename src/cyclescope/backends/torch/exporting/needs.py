"""The packages by which a transformers model is read and exported, for engines that run it from a file."""

from __future__ import annotations

from cyclescope.backends.torch.packages import OWN, READS_WITH

EXPORTS_WITH = (*OWN, *READS_WITH)
