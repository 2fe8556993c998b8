-- A database for Kittiwake's history, and who may do what in it.
--
--   sudo -u postgres psql -f history.sql
--   sudo -u postgres psql -c "\password kittiwake"      (and kittiwake_reader)
--
-- `kittiwake history run --database postgresql://kittiwake@HOST/history` makes the tables, in the schema `kittiwake`.
-- Its password is kept in ~/.pgpass, in a file that PGPASSFILE names, or in PGPASSWORD.

CREATE ROLE kittiwake LOGIN;
CREATE ROLE kittiwake_reader LOGIN;  -- for dashboards and for `kittiwake history show`
CREATE DATABASE history OWNER kittiwake ENCODING 'UTF8' TEMPLATE template0;

\connect history

CREATE SCHEMA kittiwake AUTHORIZATION kittiwake;
GRANT USAGE ON SCHEMA kittiwake TO kittiwake_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE kittiwake IN SCHEMA kittiwake GRANT SELECT ON TABLES TO kittiwake_reader;
ALTER ROLE kittiwake_reader SET default_transaction_read_only = on;
