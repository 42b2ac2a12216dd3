"""The structure of a trace, found without its model: operations, calls of modules, steps and layers."""
