"""The demonstration: a company's books and its board, both sandboxed, and everything between them for real."""
