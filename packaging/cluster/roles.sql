-- roles.sql - the database and the one role of the hosts. Once, as a superuser: psql -v password="$(openssl rand -hex 24)" -f roles.sql
--
-- The role owns its schema and nothing else: no superuser, no other database, no roles of its own making, nothing in `public`. It may end a
-- connection of its own role (pg_terminate_backend), which is how hosts get past one that was stopped while it held the lock.

\set ON_ERROR_STOP on

CREATE ROLE providerd LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 100 PASSWORD :'password';
CREATE DATABASE providerd ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE providerd FROM PUBLIC;
GRANT CONNECT ON DATABASE providerd TO providerd;

\connect providerd
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA providerd AUTHORIZATION providerd;
