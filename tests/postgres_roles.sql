-- The three roles of docs/settings.md, for a test server that trusts local connections:
--   psql -h 127.0.0.1 -U postgres -f tests/postgres_roles.sql
-- May be run again. A real installation gives them passwords.
SELECT 'CREATE ROLE mlc_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mlc_owner') \gexec
SELECT 'CREATE ROLE mlc_app' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mlc_app') \gexec
SELECT 'CREATE ROLE mlc_staff' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mlc_staff') \gexec
ALTER ROLE mlc_owner LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS;
ALTER ROLE mlc_app LOGIN NOCREATEDB NOSUPERUSER NOBYPASSRLS;
ALTER ROLE mlc_staff LOGIN NOCREATEDB NOSUPERUSER BYPASSRLS;
SELECT 'CREATE DATABASE mlc OWNER mlc_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'mlc') \gexec
