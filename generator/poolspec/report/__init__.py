"""From the model, and the results of a run, to Markdown for people."""
