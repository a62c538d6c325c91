BEGIN TRANSACTION;
CREATE TABLE leadsync_base (
	pair VARCHAR NOT NULL, 
	lead_id VARCHAR NOT NULL, 
	card_id TEXT NOT NULL, 
	lead_presence TEXT NOT NULL, 
	card_presence TEXT NOT NULL, 
	status TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	due_complete BOOLEAN NOT NULL, 
	name TEXT NOT NULL, 
	title TEXT NOT NULL, 
	email_line TEXT NOT NULL, 
	source_line TEXT NOT NULL, 
	shown_email TEXT NOT NULL, 
	shown_source TEXT NOT NULL, 
	seen_status TEXT NOT NULL, 
	PRIMARY KEY (pair, lead_id)
);
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','rec65Pq5PE0XyLEuA','6955b93c4d3c6da5d7001a71','present','archived','QUALIFIED','DONE',0,'Archived','Archived','archived@example.com','fair','archived@example.com','fair','QUALIFIED');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','rec9lHbhsQtH66XXk','6955b93c4d3c6da5d7001a73','gone','archived_by_us','CONTACTED','IN_PROGRESS',0,'Gone','Gone','gone@example.com','fair','gone@example.com','fair','CONTACTED');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','recXPqKNTV09kUddj','6955b93c4d3c6da5d7001a75','present','open','NEW','TODO',0,'Eve','Eve','eve@example.com','fair','eve@example.com','fair','');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','recfGfXt1KjUP93UU','6955b93c4d3c6da5d7001a77','present','open','LOST','DONE',0,'Dan','Dan','dan@example.com','fair','dan@example.com','fair','');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','reckEdFFIrmRtnDB8','6955b93c4d3c6da5d7001a79','present','open','NEW','TODO',0,'Ada','Ada','ada@example.com','fair','ada@example.com','fair','');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','rect5WMR5pnNVOaJm','6955b93c4d3c6da5d7001a7b','present','open','QUALIFIED','DONE',0,'Cid','Cid','cid@example.com','fair','cid@example.com','fair','');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','recu465zUnrfyLPNM','6955b93c4d3c6da5d7001a7d','present','open','CONTACTED','IN_PROGRESS',0,'Bob','Bob','bob@example.com','fair','bob@example.com','fair','');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','reczc4lwsw16QxHgn','6955b93c4d3c6da5d7001a7f','present','deleted','NEW','TODO',0,'Struck','Struck','struck@example.com','fair','struck@example.com','fair','NEW');
CREATE TABLE leadsync_facts (
	"key" VARCHAR NOT NULL, 
	facts TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "leadsync_facts" VALUES('2f5b3abbe9ce9ec501785150','{"board_id": "6955b9004d3c6da5d7001a6d", "name": "Sales", "url": "https://trello.com/b/npTv81Ny/sales", "lists": {"TODO": "6955b9004d3c6da5d7001a6e", "IN_PROGRESS": "6955b9004d3c6da5d7001a6f", "DONE": "6955b9004d3c6da5d7001a70"}}');
INSERT INTO "leadsync_facts" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','{"open_cards": 5}');
CREATE TABLE leadsync_holder (
	pair VARCHAR NOT NULL, 
	holder TEXT NOT NULL, 
	PRIMARY KEY (pair)
);
INSERT INTO "leadsync_holder" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','{"host": "old", "pid": 11802, "since": "2026-11-25T23:36:21+00:00"}');
CREATE TABLE leadsync_intent (
	id INTEGER NOT NULL, 
	pair VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	lead_id VARCHAR NOT NULL, 
	card_id VARCHAR NOT NULL, 
	record TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "leadsync_intent" VALUES(1,'app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','card','recGFPiKJMLacqNWK','','{"lead_presence": "present", "card_presence": "open", "stage": "TODO", "due_complete": false, "seen_status": "", "shown_email": "ivy@example.com", "shown_source": "", "status": "NEW", "name": "Ivy", "title": "Ivy", "email_line": "ivy@example.com", "source_line": ""}',1767225840.0);
INSERT INTO "leadsync_intent" VALUES(2,'app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','card','reckEdFFIrmRtnDB8','6955b93c4d3c6da5d7001a79','{"status": "CONTACTED", "stage": "IN_PROGRESS", "due_complete": false, "name": "Ada Lovelace", "title": "Ada Lovelace"}',1767225840.0);
INSERT INTO "leadsync_intent" VALUES(3,'app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','lead','recu465zUnrfyLPNM','6955b93c4d3c6da5d7001a7d','{"status": "QUALIFIED", "stage": "DONE", "due_complete": false}',1767225840.0);
CREATE TABLE leadsync_schema (
	version INTEGER NOT NULL
);
INSERT INTO "leadsync_schema" VALUES(1);
CREATE INDEX ix_leadsync_intent_pair ON leadsync_intent (pair);
COMMIT;
