-- What a user of the shell does: tables, constraints, triggers, queries, text search, JSON, reports, a dump.
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, price REAL CHECK (price > 0), more JSON);
CREATE TABLE sale(item INTEGER REFERENCES item, day TEXT, n INTEGER DEFAULT 1);
CREATE INDEX sale_day ON sale(day, item);
CREATE TABLE log(what TEXT);
CREATE TRIGGER sold AFTER INSERT ON sale BEGIN INSERT INTO log VALUES ('sold ' || new.n || ' of ' || new.item); END;
INSERT INTO item(name, price, more) VALUES ('pen', 1.5, '{"colour":"blue","sizes":[1,2]}'), ('book', 12.25, '{"pages":320}'), ('lamp', 30, NULL);
INSERT INTO item(name, price) VALUES ('pen', 2); -- wrong
INSERT INTO item(name, price) VALUES ('gift', -1); -- wrong
PRAGMA foreign_keys = ON;
INSERT INTO sale VALUES (99, '2024-01-01', 1); -- wrong
BEGIN;
WITH RECURSIVE d(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM d WHERE k < 999)
INSERT INTO sale SELECT 1 + k % 3, date('2024-01-01', '+' || k % 366 || ' days'), 1 + k * 7 % 5 FROM d;
COMMIT;
BEGIN;
DELETE FROM sale;
ROLLBACK;
.mode column
.headers on
SELECT name, sum(n) AS sold, printf('%.2f', sum(n * price)) AS money FROM sale JOIN item ON item = id GROUP BY name ORDER BY money DESC;
.mode box
SELECT substr(day, 1, 7) AS month, sum(n) AS n, sum(sum(n)) OVER (ORDER BY substr(day, 1, 7)) AS running FROM sale GROUP BY month LIMIT 12;
.mode list
.headers off
SELECT name, json_extract(more, '$.sizes[1]'), json_extract(more, '$.pages') FROM item;
SELECT count(*), max(what), count(DISTINCT what) FROM log;
CREATE VIRTUAL TABLE note USING fts5(title, body);
INSERT INTO note VALUES ('Whelks', 'A whelk is a snail of the sea'), ('Kernels', 'A kernel in a shell, and a shell around a kernel');
SELECT title, snippet(note, 1, '[', ']', '..', 5) FROM note WHERE note MATCH 'kernel OR snail' ORDER BY rank;
SELECT round(sin(1) + exp(2) + ln(3), 10), hex(zeroblob(4)), quote(x'00ff'), typeof(1 / 2.0), 7 / 2, 7 % 3, -9223372036854775808;
EXPLAIN QUERY PLAN SELECT * FROM sale WHERE day = '2024-02-29' AND item = 2;
UPDATE item SET price = price * 1.1 WHERE id IN (SELECT item FROM sale GROUP BY item HAVING sum(n) > 900) RETURNING name, round(price, 3);
.tables
.schema item
SELEC 1; -- wrong
SELECT * FROM nowhere; -- wrong
DELETE FROM sale WHERE rowid > 5;
VACUUM;
PRAGMA integrity_check;
.mode csv
.output sales.csv
SELECT * FROM sale;
.output stdout
.import sales.csv copy --csv
SELECT count(*) FROM copy;
.mode insert again
SELECT * FROM sale;
.dump item
