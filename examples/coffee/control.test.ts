import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControl, switchFault } from './control.ts';

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'siphon-control-'));
});

afterEach(async () => {
  await rm(place, { recursive: true, force: true });
});

describe('the control of a running demo', () => {
  it('switches faults on and off until it ends', async () => {
    const { switches, end } = await startRecording('siphon-demo-one');
    await switchFault('price_spike', true, place);
    await switchFault('price_spike', false, place);
    expect(switches).toEqual(['price_spike on', 'price_spike off']);
    await end();
    await expect(switchFault('price_spike', true, place)).rejects.toThrow('no demo is running: start one with');
  });

  it('returns the reason when the demo refuses', async () => {
    const folder = await makeFolder('siphon-demo-one');
    const end = await startControl(folder, async () => {
      throw new Error('cannot stop a database that the demo has not started');
    });
    await expect(switchFault('database_stopped', true, place)).rejects.toThrow('cannot stop a database');
    await end();
  });

  it('switches the fault of the latest demo', async () => {
    const [older, newer] = [await startRecording('siphon-demo-one'), await startRecording('siphon-demo-two')];
    await utimes(join(place, 'siphon-demo-one', 'control.json'), 1, 1);
    await switchFault('store_down', true, place);
    expect([older.switches, newer.switches]).toEqual([[], ['store_down on']]);
    await Promise.all([older.end(), newer.end()]);
  });

  it('ignores folders without a readable control file', async () => {
    await makeFolder('siphon-demo-starting');
    await writeFile(join(await makeFolder('siphon-demo-half'), 'control.json'), '{"po');
    await writeFile(join(place, 'siphon-demo-file'), '');
    await expect(switchFault('store_down', true, place)).rejects.toThrow('no demo is running');
  });

  it.each([
    ['PUT', '/faults/no_such_fault'],
    ['POST', '/faults/store_down'],
    ['PUT', '/'],
  ])('answers %s %s with the list of faults', async (method, path) => {
    const { port, switches, end } = await startRecording('siphon-demo-one');
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('store_down,slow_store');
    expect(switches).toEqual([]);
    await end();
  });
});

async function makeFolder(name: string): Promise<string> {
  const folder = join(place, name);
  await mkdir(folder);
  return folder;
}

async function startRecording(name: string) {
  const folder = await makeFolder(name);
  const switches: string[] = [];
  const end = await startControl(folder, async (fault, on) => {
    switches.push(`${fault} ${on ? 'on' : 'off'}`);
  });
  const { port } = JSON.parse(await readFile(join(folder, 'control.json'), 'utf8')) as { port: number };
  return { switches, end, port };
}
