"""Configuration as code: a tenant, its connections, flows and mappings as one TOML file (docs/configuration.md).

``reading`` makes checked values (``wanted``) of the file by itself, ``looking`` asks the vendors about boards and columns, ``storing``
makes the database agree in one transaction; nothing is half applied. ``exporting`` writes the file back without secrets.
"""
