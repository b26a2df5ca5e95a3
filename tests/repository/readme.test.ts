import { expect, it } from 'vitest';
import { filesBelow, readText } from './source-files.ts';

const factories = filesBelow('src/components', /^factory\.ts$/);

it.each(factories.map((file) => [file]))('the table in README.md has the component of %s', (file) => {
  const type = /\btype: '(\w+)'/.exec(readText(file))?.[1];
  const kind = /\bkind: '(\w+)'/.exec(readText(file))?.[1];
  const link = `[\`${type}\`](${file.replace('factory.ts', 'README.md')})`;
  const row = readText('README.md')
    .split('\n')
    .find((line) => line.startsWith(`| ${kind} |`) && line.includes(link));
  expect(row).toBeDefined();
});

it('the table of commands in README.md has every command', () => {
  const [, list = ''] = /const COMMANDS[^=]*= \{\n([^}]*)\}/.exec(readText('src/cli/cli.ts')) ?? [];
  const commands = [...list.matchAll(/^ {2}'?([a-z-]+)'?[,:]/gm)].map(([, name]) => name);
  expect(commands.length).toBeGreaterThan(8);
  expect(commands.filter((name) => !readText('README.md').includes(`\n| \`siphon ${name}`))).toEqual([]);
});

it('no page advises options in the URL of a database, which poolers in transaction mode refuse', () => {
  const pages = ['docs', 'deploy', 'src'].flatMap((folder) => filesBelow(folder, /\.(?:md|sql|yaml)$/));
  expect(['README.md', ...pages].filter((page) => /[?&]options=/.test(readText(page)))).toEqual([]);
});
