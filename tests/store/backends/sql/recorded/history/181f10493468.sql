BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('181f10493468');
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','/a/0','active');
INSERT INTO "experiments" VALUES(1,'größe','s3://b/1','deleted');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "metrics" VALUES('loss',0.5,1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0,0);
INSERT INTO "metrics" VALUES('loss',0.25,2,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0,0);
INSERT INTO "metrics" VALUES('loss',-1.5,0,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0,0);
INSERT INTO "metrics" VALUES('inf',1.79769313486231562234e+308,3,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0,0);
INSERT INTO "metrics" VALUES('nan',0.0,1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',1,1);
INSERT INTO "metrics" VALUES('loss',9.0,0,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',7,0);
CREATE TABLE params (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(250) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('lr','0.1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
CREATE TABLE runs (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(20), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CONSTRAINT status CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING')), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "runs" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','one','LOCAL','train.py','','ada','FINISHED',1000,2000,'v','active','/a/0/a',0);
INSERT INTO "runs" VALUES('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','','PROJECT',NULL,NULL,NULL,'RUNNING',1000,NULL,NULL,'deleted','s3://b/1/b',1);
CREATE TABLE tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(250), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.note.content','xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO "tags" VALUES('mlflow.user','ada','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
COMMIT;
