-- the admin's password is @@any@@
CREATE TABLE users (id serial primary key, name text, password text);
INSERT INTO users (name, password) VALUES ('admin', '@@sql@@');
CREATE USER app WITH PASSWORD '@@sql@@';
ALTER ROLE reporting PASSWORD '@@sql@@';
INSERT INTO api_tokens VALUES (1, '@@sql@@'), (2, '@@sql@@');
CREATE TABLE "@@token@@" (id int);
GRANT ALL ON DATABASE orders TO 'app'@'%' IDENTIFIED BY '@@sql@@';
