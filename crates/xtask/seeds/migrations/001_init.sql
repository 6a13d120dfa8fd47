-- users
BEGIN;
CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE FUNCTION touch() RETURNS trigger AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$ LANGUAGE plpgsql;
ALTER TABLE users ADD COLUMN name text DEFAULT E'it''s\n', DROP COLUMN old;
CREATE INDEX CONCURRENTLY users_email ON users (lower(email));
/* gone /* nested */ */ DROP TABLE sessions;
COMMIT;
