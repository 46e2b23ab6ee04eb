// Users of the server: who looks at these pages, what they may, and what administrators ask of the others.

import { ask as askPages, send } from "./server.ts";

const API = "ajax-api/2.0/mlflow/";
const ROLES = "ajax-api/3.0/mlflow/";

export interface User {
  id: number;
  username: string;
  is_admin: boolean;
  // Told of who asks only: people who came by a provider have none.
  has_password?: boolean;
}

export interface Grant {
  id: number;
  role_id: number;
  resource_type: string;
  resource_pattern: string;
  permission: string;
}

export interface Role {
  id: number;
  name: string;
  workspace: string;
  description: string | null;
  permissions: Grant[];
}

/** A user as lists have them; roles are told to administrators. */
export interface Person extends User {
  is_active: boolean;
  roles: Role[];
}

export interface Token {
  id: number;
  name: string;
  scope: string;
  created: number;
  expires: number | null;
}

export interface Event {
  id: number;
  time: number;
  username: string;
  action: string;
  resource: string;
  outcome: string;
  address: string;
}

export interface Own {
  is_admin: boolean;
  permissions: { resource_type: string; resource_pattern: string; permission: string; role_id: number; role_name: string }[];
}

/** What one user may do with a thing, and what that comes from. */
export interface Access {
  username: string;
  is_admin: boolean;
  is_active: boolean;
  level: string;
  own: string | null;
  through: { role_id: number; role: string | null; is_all: boolean; permission: string }[];
}

export interface Thing {
  kind: "experiment" | "model";
  key: string;
}

/** Levels that are granted, weakest first, and what they let somebody do. */
export const LEVELS = [["READ", "see"], ["EDIT", "log and change"], ["MANAGE", "everything, granting too"], ["DENY", "nothing, whatever else is granted"]] as const;

async function ask<T>(method: string, path: string, body?: unknown, base = API): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  return (await (await send(base + path, init)).json()) as T;
}

export const users = {
  current: async () => (await ask<{ user: User }>("GET", "users/current")).user,
  all: async () => (await ask<{ users: Person[] }>("GET", "users/list")).users,
  create: (username: string, password: string) => ask("POST", "users/create", { username, password }),
  remove: (username: string) => ask("DELETE", "users/delete", { username }),
  setAdmin: (username: string, is_admin: boolean) => ask("PATCH", "users/update-admin", { username, is_admin }),
  setActive: (username: string, is_active: boolean) => ask("PATCH", "users/update-active", { username, is_active }),
  setPassword: (username: string, password: string, current_password?: string) =>
    ask("PATCH", "users/update-password", { username, password, current_password }),
  own: () => ask<Own>("GET", "users/current/permissions"),
};

/** Roles of one user alone hold what was granted to nobody else. */
const OF_ONE = /^__user_\d+__$/;

export const isShared = (role: { name: string }) => !OF_ONE.test(role.name);

export const roles = {
  all: async () => (await ask<{ roles: Role[] }>("GET", "roles/list", undefined, ROLES)).roles.filter(isShared),
  get: async (id: number) => (await ask<{ role: Role }>("GET", `roles/get?role_id=${id}`, undefined, ROLES)).role,
  create: async (name: string, description: string) => (await ask<{ role: Role }>("POST", "roles/create", { workspace: "default", name, description }, ROLES)).role,
  update: (role_id: number, name: string, description: string) => ask("PATCH", "roles/update", { role_id, name, description }, ROLES),
  remove: (role_id: number) => ask("DELETE", "roles/delete", { role_id }, ROLES),
  assign: (username: string, role_id: number) => ask("POST", "roles/assign", { username, role_id }, ROLES),
  unassign: (username: string, role_id: number) => ask("DELETE", "roles/unassign", { username, role_id }, ROLES),
  grant: (role_id: number, resource_type: string, resource_pattern: string, permission: string) =>
    ask("POST", "roles/permissions/add", { role_id, resource_type, resource_pattern, permission }, ROLES),
  change: (role_permission_id: number, permission: string) => ask("PATCH", "roles/permissions/update", { role_permission_id, permission }, ROLES),
  revoke: (role_permission_id: number) => ask("DELETE", "roles/permissions/remove", { role_permission_id }, ROLES),
};

export const tokens = {
  all: async () => (await ask<{ tokens: Token[] }>("GET", "users/tokens/list")).tokens,
  create: async (name: string, scope: string, days: number | null) => (await ask<{ token: string }>("POST", "users/tokens/create", { name, scope, ...(days === null ? {} : { days }) })).token,
  revoke: (token_id: number) => ask("DELETE", "users/tokens/revoke", { token_id }),
};

export interface AuditAsk {
  username: string;
  action: string;
  since: number | null;
  before: number | null;
}

export async function audit({ username, action, since, before }: AuditAsk, max: number): Promise<Event[]> {
  const query = new URLSearchParams({ max_results: String(max) });
  if (username) query.set("username", username);
  if (action) query.set("action", action);
  if (since !== null) query.set("since", String(since));
  if (before !== null) query.set("before", String(before));
  return (await ask<{ events: Event[] }>("GET", `audit/list?${query}`)).events;
}

/** The operations that the log has lines of. */
export async function auditActions(): Promise<string[]> {
  return (await askPages<{ actions: string[] }>("audit-actions", {})).actions;
}

const PLACES = { experiment: "experiments/permissions/", model: "registered-models/permissions/" };

function named({ kind, key }: Thing): Record<string, string> {
  return kind === "experiment" ? { experiment_id: key } : { name: key };
}

export const access = {
  of: (thing: Thing, signal?: AbortSignal) => askPages<{ default: string; people: Access[] }>(`access/${thing.kind}`, named(thing), signal),
  grant: (thing: Thing, username: string, permission: string, is_new: boolean) =>
    ask(is_new ? "POST" : "PATCH", `${PLACES[thing.kind]}${is_new ? "create" : "update"}`, { ...named(thing), username, permission }),
  revoke: (thing: Thing, username: string) => ask("DELETE", `${PLACES[thing.kind]}delete`, { ...named(thing), username }),
};
