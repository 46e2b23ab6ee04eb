BEGIN TRANSACTION;
CREATE TABLE alembic_version_auth (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_auth_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version_auth" VALUES('f1a2b3c4d5e6');
CREATE TABLE experiment_permissions (
	id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	PRIMARY KEY (id), 
	CONSTRAINT fk_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_experiment_user UNIQUE (experiment_id, user_id)
);
CREATE TABLE gateway_endpoint_permissions (
	id INTEGER NOT NULL, 
	endpoint_id VARCHAR(255) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	PRIMARY KEY (id), 
	CONSTRAINT fk_gateway_endpoint_perm_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_endpoint_user UNIQUE (endpoint_id, user_id)
);
CREATE TABLE gateway_model_definition_permissions (
	id INTEGER NOT NULL, 
	model_definition_id VARCHAR(255) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	PRIMARY KEY (id), 
	CONSTRAINT fk_gateway_model_def_perm_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_model_def_user UNIQUE (model_definition_id, user_id)
);
CREATE TABLE gateway_secret_permissions (
	id INTEGER NOT NULL, 
	secret_id VARCHAR(255) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	PRIMARY KEY (id), 
	CONSTRAINT fk_gateway_secret_perm_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_secret_user UNIQUE (secret_id, user_id)
);
CREATE TABLE "registered_model_permissions" (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT fk_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_workspace_name_user UNIQUE (workspace, name, user_id)
);
CREATE TABLE role_permissions (
	id INTEGER NOT NULL, 
	role_id INTEGER NOT NULL, 
	resource_type VARCHAR(64) NOT NULL, 
	resource_pattern VARCHAR(255) NOT NULL, 
	permission VARCHAR(255) NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT unique_role_resource_perm UNIQUE (role_id, resource_type, resource_pattern), 
	FOREIGN KEY(role_id) REFERENCES roles (id)
);
INSERT INTO "role_permissions" VALUES(3,2,'run','*','EDIT');
INSERT INTO "role_permissions" VALUES(4,2,'experiment','99','EDIT');
INSERT INTO "role_permissions" VALUES(5,2,'experiment','1','DENY');
INSERT INTO "role_permissions" VALUES(6,3,'experiment','2','MANAGE');
INSERT INTO "role_permissions" VALUES(7,4,'experiment','3','MANAGE');
INSERT INTO "role_permissions" VALUES(8,5,'experiment','3','DENY');
INSERT INTO "role_permissions" VALUES(9,5,'run','*','EDIT');
CREATE TABLE roles (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	workspace VARCHAR(63) NOT NULL, 
	description VARCHAR(1024), 
	PRIMARY KEY (id), 
	CONSTRAINT unique_workspace_role_name UNIQUE (workspace, name)
);
INSERT INTO "roles" VALUES(1,'__user_2__','default',NULL);
INSERT INTO "roles" VALUES(2,'__user_3__','default',NULL);
INSERT INTO "roles" VALUES(3,'__user_4__','default',NULL);
INSERT INTO "roles" VALUES(4,'__user_5__','default',NULL);
INSERT INTO "roles" VALUES(5,'__user_6__','default',NULL);
CREATE TABLE scorer_permissions (
	id INTEGER NOT NULL, 
	experiment_id VARCHAR(255) NOT NULL, 
	scorer_name VARCHAR(256) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(255), 
	PRIMARY KEY (id), 
	CONSTRAINT fk_scorer_perm_user_id FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT unique_scorer_user UNIQUE (experiment_id, scorer_name, user_id)
);
CREATE TABLE user_role_assignments (
	id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	role_id INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT unique_user_role UNIQUE (user_id, role_id), 
	FOREIGN KEY(user_id) REFERENCES users (id), 
	FOREIGN KEY(role_id) REFERENCES roles (id)
);
INSERT INTO "user_role_assignments" VALUES(1,2,1);
INSERT INTO "user_role_assignments" VALUES(2,3,2);
INSERT INTO "user_role_assignments" VALUES(3,4,3);
INSERT INTO "user_role_assignments" VALUES(4,5,4);
INSERT INTO "user_role_assignments" VALUES(5,6,5);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	username VARCHAR(255), 
	password_hash VARCHAR(255), 
	is_admin BOOLEAN, 
	PRIMARY KEY (id), 
	UNIQUE (username)
);
INSERT INTO "users" VALUES(1,'admin','scrypt:32768:8:1$GkaHgjBntFd2aP9p$4354f20e6f98f95d3b668a961a2542e39f71145fc956f9bc193ca2a162113bdf2e11b217099bf0d5ef0f8f5becebdd7456046c18605dcac4e22e1d109e8d07b3',1);
INSERT INTO "users" VALUES(2,'u1','scrypt:32768:8:1$jWPFp4t4Cg0sn3VI$f817d9aa11de5b2420b519e3c1a87b78ae9b50670a8125dc79e4c6715f340a3d3f9f792d8abc8f6598906838fe45e8272d85b252fd40fc4e93d30315afa07a89',0);
INSERT INTO "users" VALUES(3,'u2','scrypt:32768:8:1$s5oG0SATrJAlTuw8$5d1df616d3765f90ece3fb036057052e4cbfb5968c1165119ba3778b8d74d9fde67942f15d9f64cb8a64ecfc845528e0239288da5d01b1d58effe2ef6633f912',0);
INSERT INTO "users" VALUES(4,'a113526','scrypt:32768:8:1$wDIeMTrpEdKM0CMV$5769e491ce4a0465608ed76247c3f6653fa790adcff239599970caeb0d12dbc29a2a8c989cca5c209b4a4e55e3e0e7fcb033486dce4206ff4911850732a6d834',0);
INSERT INTO "users" VALUES(5,'a677007','scrypt:32768:8:1$Td9YM4NFr3yedM9I$f7b6e5e871e33e3f48547eea8ba62dd7c4116bc137354bcaf1e64e4bc04bfbbfebf162952f7e1150f9e93cc59e134cb61fe4f577d36897a9f92896caf48aab01',0);
INSERT INTO "users" VALUES(6,'b677007','scrypt:32768:8:1$gmz9X6VYSlfNmA4m$a89efba87a5f5cb38caa1ab609bacf6e7b191f8ab4fb0ff439004c3c23631256bc8cd5083fad0cf6dd27b58acc46e2ef8b3ca3e39377af3f0a6117d672bc518f',0);
CREATE TABLE workspace_permissions (
	workspace VARCHAR(63) NOT NULL, 
	user_id INTEGER NOT NULL, 
	permission VARCHAR(32) NOT NULL, 
	CONSTRAINT workspace_permissions_pk PRIMARY KEY (workspace, user_id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX idx_workspace_permissions_user_id ON workspace_permissions (user_id);
CREATE INDEX idx_workspace_permissions_workspace ON workspace_permissions (workspace);
CREATE INDEX idx_roles_workspace ON roles (workspace);
CREATE INDEX idx_role_permissions_role_id ON role_permissions (role_id);
CREATE INDEX idx_user_role_assignments_user_id ON user_role_assignments (user_id);
CREATE INDEX idx_user_role_assignments_role_id ON user_role_assignments (role_id);
COMMIT;