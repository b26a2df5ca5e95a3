import { expect, it, test } from 'vitest';
import { parseTemplate } from './template.ts';

const data = { labels: new Map([['queue', 'a b&c']]), value: 2.5 };

// Prometheus has the same answers: tests/dashboards/sidecar-rules.test.ts asks promtool for them.
test.each([
  ['plain }} text', 'plain }} text'],
  ['{{ $labels.queue }} {{ .Labels.queue }} {{ $labels.absent }}!', 'a b&c a b&c !'],
  ['{{ $value }} {{ .Value }}', '2.5 2.5'],
  ['{{ $labels.queue | urlquery | toUpper }}', 'A+B%26C'],
  ['a {{- " b " -}} c', 'a b c'],
  ['{{ `}}` }}', '}}'],
  ['{{ printf "%.0f|%6.2f|%-6s|%v%%" $value $value (toUpper "x") $value }}', '2|  2.50|X     |2.5%'],
  ['{{ with $labels.queue }}at {{ . }}{{ else }}nowhere{{ end }}', 'at a b&c'],
  ['{{ if $labels.absent }}yes{{ else }}no {{ $value }}{{ end }}', 'no 2.5'],
])('%s', (text, rendered) => {
  expect(parseTemplate(text).render(data)).toBe(rendered);
});

test.each([
  ['{{ $value', 'a {{ has no }}'],
  ['{{ range query "up" }}{{ end }}', 'range is not supported'],
  ['{{ $externalURL }}', '$externalURL is not supported; known are $value and $labels.NAME'],
  ['{{ $labels }}', '$labels is not supported'],
  ['{{ humanise $value }}', 'humanise is not supported (did you mean humanize?); known are humanize'],
  ['{{ $labels.queue | humanize }}', 'it needs one number'],
  ['{{ printf "%d" $value }}', 'printf: %d is not supported for a number'],
  ['{{ printf "%s" }}', 'printf has 1 verbs, but 0 values'],
  ['{{ if $value }}', 'has no {{ end }}'],
  ['{{ end }}', '{{ end }} has no beginning'],
  ['{{ else }}', '{{ else }} has no beginning'],
  ['{{ with $value }}{{ .Labels.x }}{{ end }}', 'write $labels or $value instead of .Labels.x'],
  ['{{ $x := 1 }}', 'is not supported'],
  ['{{ "a }}', 'a {{ has no }}'],
])('%s is an error, never another text', (text, problem) => {
  expect(() => parseTemplate(text)).toThrow(problem);
});

it('bounds blocks within each other', () => {
  expect(() => parseTemplate('{{ if 1 }}'.repeat(10_000))).toThrow('too many blocks');
});
