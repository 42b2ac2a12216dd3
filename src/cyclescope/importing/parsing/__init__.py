"""From the bytes of a file to the columns of a trace, whatever its format: unpacked, split, decoded, mended, gathered."""
