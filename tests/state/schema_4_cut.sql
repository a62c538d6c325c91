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
	seen_status TEXT NOT NULL, 
	cells TEXT DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (pair, lead_id)
);
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','rec65Pq5PE0XyLEuA','6955b93c4d3c6da5d7001a71','present','archived','QUALIFIED','DONE',0,'Archived','Archived','QUALIFIED','{"line:E-mail\temail": ["archived@example.com", "archived@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','rec9lHbhsQtH66XXk','6955b93c4d3c6da5d7001a73','gone','archived_by_us','CONTACTED','IN_PROGRESS',0,'Gone','Gone','CONTACTED','{"line:E-mail\temail": ["gone@example.com", "gone@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','recXPqKNTV09kUddj','6955b93c4d3c6da5d7001a75','present','open','NEW','TODO',0,'Eve','Eve','','{"line:E-mail\temail": ["eve@example.com", "eve@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','recfGfXt1KjUP93UU','6955b93c4d3c6da5d7001a77','present','open','LOST','DONE',0,'Dan','Dan','','{"line:E-mail\temail": ["dan@example.com", "dan@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','reckEdFFIrmRtnDB8','6955b93c4d3c6da5d7001a79','present','open','NEW','TODO',0,'Ada','Ada','','{"line:E-mail\temail": ["ada@example.com", "ada@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','rect5WMR5pnNVOaJm','6955b93c4d3c6da5d7001a7b','present','open','QUALIFIED','DONE',0,'Cid','Cid','','{"line:E-mail\temail": ["cid@example.com", "cid@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','recu465zUnrfyLPNM','6955b93c4d3c6da5d7001a7d','present','open','CONTACTED','IN_PROGRESS',0,'Bob','Bob','','{"line:E-mail\temail": ["bob@example.com", "bob@example.com"], "line:Source\tsource": ["fair", "fair"]}');
INSERT INTO "leadsync_base" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','reczc4lwsw16QxHgn','6955b93c4d3c6da5d7001a7f','present','deleted','NEW','TODO',0,'Struck','Struck','NEW','{"line:E-mail\temail": ["struck@example.com", "struck@example.com"], "line:Source\tsource": ["fair", "fair"]}');
CREATE TABLE leadsync_calls (
	month VARCHAR NOT NULL, 
	airtable INTEGER NOT NULL, 
	PRIMARY KEY (month)
);
INSERT INTO "leadsync_calls" VALUES('2026-11',5);
CREATE TABLE leadsync_facts (
	"key" VARCHAR NOT NULL, 
	facts TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "leadsync_facts" VALUES('2f5b3abbe9ce9ec501785150','{"board_id": "6955b9004d3c6da5d7001a6d", "name": "Sales", "url": "https://trello.com/b/npTv81Ny/sales", "lists": {"TODO": "6955b9004d3c6da5d7001a6e", "IN_PROGRESS": "6955b9004d3c6da5d7001a6f", "DONE": "6955b9004d3c6da5d7001a70"}, "all_lists": ["6955b9004d3c6da5d7001a6e", "6955b9004d3c6da5d7001a6f", "6955b9004d3c6da5d7001a70"], "labels": {}, "members": {}, "custom_fields": {}}');
INSERT INTO "leadsync_facts" VALUES('cells app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','{"meanings": {"line:E-mail\temail": "7e09e12aa56148fe200ce187", "line:Source\tsource": "7e09e12aa56148fe200ce187"}, "identities": {"line:E-mail\temail": "text  text", "line:Source\tsource": "text  text"}}');
INSERT INTO "leadsync_facts" VALUES('lists app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','{"6955b9004d3c6da5d7001a6e": "TODO", "6955b9004d3c6da5d7001a6f": "IN_PROGRESS", "6955b9004d3c6da5d7001a70": "DONE"}');
INSERT INTO "leadsync_facts" VALUES('checks app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','{"6955b93c4d3c6da5d7001a71": [1795684111.3511415, "QUALIFIED"], "6955b93c4d3c6da5d7001a73": [1795684111.4767435, ""]}');
INSERT INTO "leadsync_facts" VALUES('seen app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','{"feed": {"webhook": "", "cursor": 1, "at": 0.0, "unread": []}}');
CREATE TABLE leadsync_holder (
	pair VARCHAR NOT NULL, 
	holder TEXT NOT NULL, 
	PRIMARY KEY (pair)
);
INSERT INTO "leadsync_holder" VALUES('app11QCDzyXnjLpyV/6955b9004d3c6da5d7001a6d','{"host": "old", "pid": 2242, "since": "2026-11-26T09:08:31+00:00"}');
CREATE TABLE leadsync_intent (
	id INTEGER NOT NULL, 
	pair VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	lead_id VARCHAR NOT NULL, 
	card_id VARCHAR NOT NULL, 
	record TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	state VARCHAR DEFAULT 'pending' NOT NULL, 
	run VARCHAR DEFAULT '' NOT NULL, 
	answered FLOAT DEFAULT '0' NOT NULL, 
	sent TEXT DEFAULT '{}' NOT NULL, 
	undo TEXT DEFAULT '{}' NOT NULL, 
	conflicts TEXT DEFAULT '[]' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "leadsync_intent" VALUES(1,'app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','card','recGFPiKJMLacqNWK','','{"lead_presence": "present", "card_presence": "open", "stage": "TODO", "due_complete": false, "seen_status": "", "status": "NEW", "name": "Ivy", "title": "Ivy", "airtable line:E-mail\temail": "ivy@example.com", "trello line:E-mail\temail": "ivy@example.com", "airtable line:Source\tsource": "", "trello line:Source\tsource": ""}',1767225840.0,'pending','9f4b5b93859646158b9689534c90609c',0.0,'{}','{}','[]');
INSERT INTO "leadsync_intent" VALUES(2,'app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','card','reckEdFFIrmRtnDB8','6955b93c4d3c6da5d7001a79','{"status": "CONTACTED", "stage": "IN_PROGRESS", "due_complete": false, "name": "Ada Lovelace", "title": "Ada Lovelace"}',1767225840.0,'pending','9f4b5b93859646158b9689534c90609c',0.0,'{"planned_from": {"idList": "65bf737f34b9e2016ebf0199", "name": "99a563ab2f6e21e96998f9fd", "desc": "d391a634172fa5d599d02c6e", "dueComplete": "60a33e6cf5151f2d52eddae9"}, "cells": {"idList": "41654efecc42da8a9ba0502d", "name": "76740216171591903cdbd18f"}, "resent": false}','{"status": "NEW", "stage": "TODO", "due_complete": false, "name": "Ada", "title": "Ada"}','[]');
INSERT INTO "leadsync_intent" VALUES(3,'app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','lead','recu465zUnrfyLPNM','6955b93c4d3c6da5d7001a7d','{"status": "QUALIFIED", "stage": "DONE", "due_complete": false}',1767225840.0,'pending','9f4b5b93859646158b9689534c90609c',0.0,'{}','{"status": "CONTACTED", "stage": "IN_PROGRESS", "due_complete": false}','[]');
CREATE TABLE leadsync_schema (
	version INTEGER NOT NULL
);
INSERT INTO "leadsync_schema" VALUES(4);
CREATE TABLE leadsync_seen (
	pair VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	item TEXT NOT NULL, 
	PRIMARY KEY (pair, side, id)
);
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','rect5WMR5pnNVOaJm','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "cid@example.com", "name": "Cid", "source": "fair", "status": "QUALIFIED"}, "id": "rect5WMR5pnNVOaJm"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','recfGfXt1KjUP93UU','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "dan@example.com", "name": "Dan", "source": "fair", "status": "LOST"}, "id": "recfGfXt1KjUP93UU"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','reczc4lwsw16QxHgn','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "struck@example.com", "name": "Struck", "source": "fair", "status": "NEW"}, "id": "reczc4lwsw16QxHgn"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','recXPqKNTV09kUddj','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "eve@example.com", "name": "Eve", "source": "fair", "status": "NEW"}, "id": "recXPqKNTV09kUddj"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','reckEdFFIrmRtnDB8','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "ada@example.com", "name": "Ada", "source": "fair", "status": "NEW"}, "id": "reckEdFFIrmRtnDB8"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','recu465zUnrfyLPNM','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "bob@example.com", "name": "Bob", "source": "fair", "status": "CONTACTED"}, "id": "recu465zUnrfyLPNM"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','records','rec65Pq5PE0XyLEuA','{"createdTime": "2026-01-01T00:00:00.000Z", "fields": {"email": "archived@example.com", "name": "Archived", "source": "fair", "status": "QUALIFIED"}, "id": "rec65Pq5PE0XyLEuA"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','cards','6955b93c4d3c6da5d7001a75','{"cardRole": null, "closed": false, "desc": "Lead details from Airtable\nE-mail: eve@example.com\nSource: fair\nLeadID: recXPqKNTV09kUddj", "dueComplete": false, "id": "6955b93c4d3c6da5d7001a75", "idBoard": "6955b9004d3c6da5d7001a6d", "idList": "6955b9004d3c6da5d7001a6e", "isTemplate": false, "name": "Eve", "shortUrl": "https://trello.com/c/HxT5ZOJv"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','cards','6955b93c4d3c6da5d7001a77','{"cardRole": null, "closed": false, "desc": "Lead details from Airtable\nE-mail: dan@example.com\nSource: fair\nLeadID: recfGfXt1KjUP93UU", "dueComplete": false, "id": "6955b93c4d3c6da5d7001a77", "idBoard": "6955b9004d3c6da5d7001a6d", "idList": "6955b9004d3c6da5d7001a70", "isTemplate": false, "name": "Dan", "shortUrl": "https://trello.com/c/L7bjJ0EZ"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','cards','6955b93c4d3c6da5d7001a79','{"cardRole": null, "closed": false, "desc": "Lead details from Airtable\nE-mail: ada@example.com\nSource: fair\nLeadID: reckEdFFIrmRtnDB8", "dueComplete": false, "id": "6955b93c4d3c6da5d7001a79", "idBoard": "6955b9004d3c6da5d7001a6d", "idList": "6955b9004d3c6da5d7001a6e", "isTemplate": false, "name": "Ada", "shortUrl": "https://trello.com/c/eMmjIiZH"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','cards','6955b93c4d3c6da5d7001a7b','{"cardRole": null, "closed": false, "desc": "Lead details from Airtable\nE-mail: cid@example.com\nSource: fair\nLeadID: rect5WMR5pnNVOaJm", "dueComplete": false, "id": "6955b93c4d3c6da5d7001a7b", "idBoard": "6955b9004d3c6da5d7001a6d", "idList": "6955b9004d3c6da5d7001a70", "isTemplate": false, "name": "Cid", "shortUrl": "https://trello.com/c/v6RcZjkM"}');
INSERT INTO "leadsync_seen" VALUES('app11QCDzyXnjLpyV/Leads/6955b9004d3c6da5d7001a6d','cards','6955b93c4d3c6da5d7001a7d','{"cardRole": null, "closed": false, "desc": "Lead details from Airtable\nE-mail: bob@example.com\nSource: fair\nLeadID: recu465zUnrfyLPNM", "dueComplete": false, "id": "6955b93c4d3c6da5d7001a7d", "idBoard": "6955b9004d3c6da5d7001a6d", "idList": "6955b9004d3c6da5d7001a6f", "isTemplate": false, "name": "Bob", "shortUrl": "https://trello.com/c/s2rNVGUd"}');
CREATE INDEX ix_leadsync_intent_pair ON leadsync_intent (pair);
COMMIT;
