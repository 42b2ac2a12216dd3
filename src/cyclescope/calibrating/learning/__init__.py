"""Learning this machine: small whole models that are measured, and what is fitted on them."""
