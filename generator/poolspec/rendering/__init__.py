"""From the model to the text of test modules: rendered, formatted, and proven right."""
