import * as v from 'valibot';
import type { ExtensionRole } from '../component.ts';

/** Refers to an extension from the configuration of another component. The loader checks that it has the role. */
export class ExtensionReference<Role extends ExtensionRole = ExtensionRole> {
  readonly id: string;
  readonly role: Role;

  constructor(id: string, role: Role) {
    this.id = id;
    this.role = role;
  }
}

/** The key `storage` of a component: the id of an extension. */
export const storageReference = v.pipe(
  v.string('must be the id of a storage extension, for example file_storage'),
  v.transform((id) => new ExtensionReference(id, 'storage')),
);

/** The key `history` of an exporter that holds series. */
export const historyReference = v.pipe(
  v.string('must be the id of a history extension, for example metrics_history'),
  v.transform((id) => new ExtensionReference(id, 'history')),
);

/** The key `auth` of a server. */
export const authConfig = v.strictObject({
  authenticator: v.pipe(
    v.string(),
    v.transform((id) => new ExtensionReference(id, 'authenticator')),
  ),
});
