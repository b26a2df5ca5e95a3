import { describe, expect, it } from 'vitest';
import { runCommand } from '../../tests/support/processes/run-command.ts';

const { printed: overview } = await runCommand(['--help']);
const names = Array.from(overview.matchAll(/^ {2}(\S+(?: \S+)?) {2,}/gm), ([, name = '']) => name);

describe.each(names.map((name) => [name]))('siphon %s --help', (name) => {
  it('has an example that the command accepts, and the exit codes', async () => {
    const { exitCode, printed } = await runCommand([...name.split(' '), '--help']);
    expect(exitCode).toBe(0);
    const [, example = ''] = /^Example: (?:[A-Z_]+=\S+ )*siphon (.*)$/m.exec(printed) ?? [];
    expect(example.startsWith(name), printed).toBe(true);
    // Behind -- is the command line of another program.
    const [own = ''] = example.split(' -- ');
    expect(await runCommand([...own.split(' '), '--help'])).toMatchObject({ exitCode: 0, errors: '' });
    expect(printed).toMatch(/^Exit codes: 0 on success; (?:1 if .*; )?2 if the command line is wrong$/m);
  });

  it('answers a mistake with the mistake, not with the usage', async () => {
    const { exitCode, printed, errors } = await runCommand([...name.split(' '), '--no-such-option']);
    expect({ exitCode, printed }).toEqual({ exitCode: 2, printed: '' });
    expect(errors.split('\n')).toEqual([
      expect.stringContaining('--no-such-option'),
      `Run 'siphon ${name} --help' for its options`,
    ]);
  });
});

it('lists every command', () => {
  expect(names).toEqual(expect.arrayContaining(['run', 'doctor', 'packs check', 'dashboards preview']));
});

it.each(['--version', 'version'])('prints the version with %s', async (argument) => {
  expect(await runCommand([argument])).toEqual({ exitCode: 0, printed: '0.0.0', errors: '' });
});

it.each([['-h'], ['help'], ['--help']])('prints the commands with %s', async (argument) => {
  expect(await runCommand([argument])).toEqual({ exitCode: 0, printed: overview, errors: '' });
});

it('prints the commands of a group', async () => {
  const { exitCode, printed } = await runCommand(['dashboards', '--help']);
  expect(exitCode).toBe(0);
  expect(printed).toMatch(/dashboards export .*\n.*dashboards preview .*\n.*dashboards push /);
});

it.each([
  [['valdate'], 'unknown command: valdate (did you mean validate?)'],
  [['dashboard', 'push'], 'unknown command: dashboard (did you mean dashboards?)'],
  [['dashboards', 'exprot'], 'unknown command: dashboards exprot (did you mean dashboards export?)'],
])('suggests a command for %j', async (args, error) => {
  const { exitCode, errors } = await runCommand(args);
  expect(exitCode).toBe(2);
  expect(errors.split('\n')[0]).toBe(error);
});
