"""The four kinds of spec files: their keys, and the values of the model that they become."""
