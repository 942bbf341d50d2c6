"""Values of a spec as Markdown: text, numbers, comparisons, sentences."""
