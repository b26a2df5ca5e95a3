import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** True if this machine has openssl. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Self-signed certificates for 127.0.0.1 and `<name>.test` in a temporary folder: `<name>.pem` with `<name>.key`. */
export class SelfSignedCertificates implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'siphon-tls-'));

  constructor(...names: readonly string[]) {
    for (const name of names) {
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:127.0.0.1,DNS:${name}.test`];
      const files = ['-keyout', this.file(`${name}.key`), '-out', this.file(`${name}.pem`)];
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
      execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'ignore' });
    }
  }

  file(name: string): string {
    return join(this.#directory, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.file(name));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}
