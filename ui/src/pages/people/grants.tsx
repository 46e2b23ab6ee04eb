// What one user was granted: by name, and through roles.

import { Button } from "../../widgets/parts.tsx";
import { Dialog } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { href } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { isShared, roles, type Grant, type Person } from "../../data/users.ts";
import { GrantedOn, Level } from "./form.tsx";

export function GrantsDialog({ person, onClose, onChange }: { person: Person; onClose: () => void; onChange: () => void }) {
  const all = person.roles.flatMap((role) => role.permissions.map((grant) => ({ role, grant })));
  const revoke = (grant: Grant) => void attempt(async () => {
    await roles.revoke(grant.id);
    onChange();
    say(`Taken from ${person.username}.`, { undo: async () => {
      await roles.grant(grant.role_id, grant.resource_type, grant.resource_pattern, grant.permission);
      onChange();
    } });
  });
  return (
    <Dialog title={`What ${person.username} was granted`} wide onClose={onClose} actions={<Button onClick={onClose}>Done</Button>}>
      {person.is_admin && <p class="hint">Administrators may do everything, whatever is granted to them.</p>}
      {all.length === 0 ? <p>Nothing: on everything the server’s default holds.</p> : (
        <table class="list plain">
          <thead><tr><th>Level</th><th>On</th><th>Through</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
          <tbody>
            {all.map(({ role, grant }) => (
              <tr key={grant.id}>
                <td><Level name={grant.permission} /></td>
                <td class="wrap"><GrantedOn kind={grant.resource_type} pattern={grant.resource_pattern} /></td>
                <td>{isShared(role) ? <a href={href(["roles", String(role.id)])}>{role.name}</a> : <span class="dim">themselves</span>}</td>
                <td class="narrow">{!isShared(role) && <button type="button" class="button quiet icon" aria-label="Take this away" title="Take this away" onClick={() => revoke(grant)}><Icon name="trash" /></button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  );
}
