import { describe, expect, it } from 'vitest';
import { momentsOf } from './data-source.ts';
import { concrete, stepsFor, withChoices } from './expression.ts';

describe('what is asked', () => {
  const steps = { fromS: 0, toS: 3600, stepS: 60 };

  it('matches everything while nothing is chosen', () => {
    expect(withChoices('up{job=~"$job"}', { job: undefined })).toBe('up{job=~".*"}');
  });

  it('matches each of several choices, and nothing else', () => {
    expect(withChoices('up{job=~"$job"}', { job: ['a.b', 'c'] })).toBe(String.raw`up{job=~"a\\.b|c"}`);
  });

  it('cannot be broken out of by a value', () => {
    expect(withChoices('up{job=~"$job"}', { job: ['"} or vector(1) #'] })).toBe(
      String.raw`up{job=~"\"\\} or vector\\(1\\) #"}`,
    );
  });

  it('leaves text that is not a variable', () => {
    expect(withChoices('label_replace(up, "a", "$1", "b", "(.*)")', {})).toBe(
      'label_replace(up, "a", "$1", "b", "(.*)")',
    );
  });

  it('takes a rate over at least four scrapes, and over the whole of a step', () => {
    const rate = '[$__rate_interval]';
    expect(concrete(rate, { choices: {}, steps, scrapeS: 15 })).toBe('[75s]');
    expect(concrete(rate, { choices: {}, steps, scrapeS: 30 })).toBe('[120s]');
  });

  it('knows the range', () => {
    expect(concrete('x[$__range]', { choices: {}, steps, scrapeS: 15 })).toBe('x[3600s]');
  });

  it('ends at the current time, with no more steps than a reader can distinguish', () => {
    const asked = stepsFor({ lengthS: 3600, nowS: 7141.5 }, { points: 50, leastS: 1 });
    expect(asked).toEqual({ fromS: 3541.5, toS: 7141.5, stepS: 72 });
    expect(momentsOf(asked).at(-1)).toBe(7141.5);
    expect(stepsFor({ lengthS: 3600, nowS: 7141.5 }, { points: 50, leastS: 300 }).stepS).toBe(300);
  });
});
