"""The steps that repeat others in rounds."""
