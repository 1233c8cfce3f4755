"""What segments and traces are: documents, services, trees, summaries, elements, tallies."""
