"""Values of a spec as Python source: literals, names, and the bodies of tests."""
