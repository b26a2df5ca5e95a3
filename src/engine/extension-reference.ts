import type { Host, Component } from './component.ts';

/** What an extension can be to other components. */
export type ExtensionRole = 'authenticator' | 'storage';

/** Names an extension from inside another component's configuration. The loader checks that it leads to one with this role. */
export class ExtensionReference {
  readonly id: string;
  readonly role: ExtensionRole;

  constructor(id: string, role: ExtensionRole) {
    this.id = id;
    this.role = role;
  }
}

/**
 * The running extension that is meant.
 *
 * @param key where the configuration names it, as it shall stand in an error.
 * @throws Error that names the extension, if it does not run or is something else.
 */
export function referredExtension<Role>(
  host: Host,
  { id, role }: ExtensionReference,
  key: string,
  isInRole: (extension: Component) => extension is Component & Role,
): Component & Role {
  const extension = host.extension(id);
  if (extension === undefined) throw new Error(`${key}: ${id} does not run: list it in service::extensions`);
  if (!isInRole(extension)) throw new Error(`${key}: ${id} is no ${role}`);
  return extension;
}
