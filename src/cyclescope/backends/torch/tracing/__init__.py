"""The structure of a cycle from one run of the real model class, which is never timed."""
