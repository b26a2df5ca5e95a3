import { BlockList, isIP } from 'node:net';
import { isLoopback } from './announce.ts';

/** The variables that name proxies, in either case. The lower case wins. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; undefined for a direct connection. The rules are
 * those of Go, and so of the Collector: this machine is always reached directly.
 *
 * @throws Error that names the variable, if it is not a URL. The message does not contain the value, which may have a
 *   password.
 */
export function proxyFor({ protocol, hostname, port }: URL, environment: ProxyEnvironment): URL | undefined {
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = valueOf(variable, environment);
  if (proxy === '') return undefined;
  const host = hostname.replaceAll(/^\[|\]$/g, '').toLowerCase();
  if (isLoopback(host) || host.endsWith('.localhost')) return undefined;
  const target = { host, port: port || (protocol === 'https:' ? '443' : '80') };
  const excluded = valueOf('NO_PROXY', environment).split(',');
  if (excluded.some((entry) => matches(entry.trim().toLowerCase(), target))) return undefined;
  return parse(proxy, variable);
}

function valueOf(name: string, environment: ProxyEnvironment): string {
  return (environment[name.toLowerCase()] ?? environment[name] ?? '').trim();
}

function parse(text: string, variable: string): URL {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error(`${variable} must be the URL of an HTTP proxy, for example http://proxy:3128`);
  }
  return new URL(url);
}

interface Target {
  readonly host: string;
  readonly port: string;
}

/** `*`, a name with its subdomains, `.name` for the subdomains only, an address or a range of them, each with a port. */
function matches(entry: string, { host, port }: Target): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return isInRange(host, range[1] as string, Number(range[2]));
  const { name, port: wanted } = isIP(entry) === 0 ? splitPort(entry) : { name: entry, port: undefined };
  if (wanted !== undefined && wanted !== port) return false;
  if (isIP(name) !== 0) return isInRange(host, name, isIP(name) === 6 ? 128 : 32);
  const pattern = name.replace(/^\*(?=\.)/, '');
  if (pattern.startsWith('.')) return host.endsWith(pattern);
  return pattern !== '' && (host === pattern || host.endsWith(`.${pattern}`));
}

function splitPort(entry: string): { readonly name: string; readonly port: string | undefined } {
  const colon = /:\d+$/.exec(entry)?.index ?? entry.length;
  const port = entry.slice(colon + 1);
  return { name: entry.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: port === '' ? undefined : port };
}

function isInRange(host: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || prefix > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
