// Users of the server: who looks at these pages, and what administrators ask of the others.

import { send } from "./server.ts";

const API = "ajax-api/2.0/mlflow/users/";

export interface User {
  id: number;
  username: string;
  is_admin: boolean;
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  return (await (await send(API + path, init)).json()) as T;
}

export const users = {
  current: async () => (await ask<{ user: User }>("GET", "current")).user,
  all: async () => (await ask<{ users: User[] }>("GET", "list")).users,
  create: (username: string, password: string) => ask("POST", "create", { username, password }),
  remove: (username: string) => ask("DELETE", "delete", { username }),
  setAdmin: (username: string, is_admin: boolean) => ask("PATCH", "update-admin", { username, is_admin }),
  setPassword: (username: string, password: string, current_password?: string) =>
    ask("PATCH", "update-password", { username, password, current_password }),
};
