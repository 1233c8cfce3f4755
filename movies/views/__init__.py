"""The pages: what each address answers, and nothing that talks to AWS or SQL by itself."""
