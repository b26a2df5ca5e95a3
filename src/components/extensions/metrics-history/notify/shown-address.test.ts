import { expect, it } from 'vitest';
import { SecretUrl } from '../../../../engine/schema/secret.ts';
import { shownAddress } from './shown-address.ts';

it.each([
  ['http://127.0.0.1:9093', 'http://127.0.0.1:9093'],
  ['https://user:p4ssw0rd@alerts.example.com/am/', 'https://alerts.example.com/am'],
  ['https://alerts.example.com/?token=p4ssw0rd', undefined],
  ['https://alerts.example.com/0123456789abcdef0123456789abcdef/', undefined],
])('shows %s as %s', (address, shown) => {
  expect(shownAddress(new SecretUrl(address))).toBe(shown);
});
