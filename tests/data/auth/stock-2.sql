CREATE TABLE alembic_version_auth (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_auth_pkc PRIMARY KEY (version_num));
CREATE TABLE users (id INTEGER NOT NULL, username VARCHAR(255), password_hash VARCHAR(255), is_admin BOOLEAN, PRIMARY KEY (id), UNIQUE (username));
CREATE TABLE experiment_permissions (id INTEGER NOT NULL, experiment_id VARCHAR(255) NOT NULL, user_id INTEGER NOT NULL, permission VARCHAR(255), PRIMARY KEY (id), CONSTRAINT unique_experiment_user UNIQUE (experiment_id, user_id), CONSTRAINT fk_user_id FOREIGN KEY(user_id) REFERENCES users (id));
CREATE TABLE registered_model_permissions (id INTEGER NOT NULL, name VARCHAR(255) NOT NULL, user_id INTEGER NOT NULL, permission VARCHAR(255), PRIMARY KEY (id), CONSTRAINT unique_name_user UNIQUE (name, user_id), CONSTRAINT fk_user_id FOREIGN KEY(user_id) REFERENCES users (id));
INSERT INTO alembic_version_auth VALUES ('8606fa83a998');
INSERT INTO users VALUES (1, 'admin', 'pbkdf2:sha256:1000$salt$00', 1), (2, 'ann', 'pbkdf2:sha256:1000$salt$00', 0);
INSERT INTO experiment_permissions VALUES (1, '1', 2, 'EDIT'), (2, '2', 2, 'NO_PERMISSIONS');
INSERT INTO registered_model_permissions VALUES (1, 'm', 2, 'MANAGE');
