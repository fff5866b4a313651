import { expect, it } from 'vitest';
import { givenOptions, isMongoAddress, namesDatabase, shownAddress } from '../../src/journal/address.ts';
import { shownLocation } from '../../src/journal/open.ts';

it.each([
  ['mongodb://localhost', 'mongodb://localhost/concord'],
  ['mongodb://localhost/', 'mongodb://localhost/concord'],
  ['mongodb://a:1,b:2/labels?replicaSet=x&w=1', 'mongodb://a:1,b:2/labels'],
  ['mongodb+srv://cluster.example.org/?appName=x', 'mongodb+srv://cluster.example.org/concord'],
  ['mongodb://ada:secret@localhost/labels', 'mongodb://localhost/labels'],
  ['mongodb://ada:se%40cret@localhost', 'mongodb://localhost/concord'],
  // Not escaped, as the driver demands: to be refused, but not to be shown.
  ['mongodb://ada:se@cret@localhost', 'mongodb://localhost/concord'],
  ['mongodb://ada:se/cret@localhost/x', 'mongodb://localhost/x'],
  ['mongodb://ada:se?cret@localhost/x', 'mongodb://localhost/x'],
])('shows %s without user, password and options', (url, shown) => {
  expect(shownAddress(url)).toBe(shown);
  expect(shownLocation(url)).toBe(shown);
});

it('tells a database that is named from one that is not', () => {
  expect(namesDatabase('mongodb://localhost/labels?w=1')).toBe(true);
  expect(namesDatabase('mongodb://localhost/?w=1')).toBe(false);
  expect(namesDatabase('mongodb://localhost?w=1')).toBe(false);
});

it('knows which options are given, whatever their case', () => {
  expect([...givenOptions('mongodb://h/?directConnection=true&connectTimeoutms=1')]).toStrictEqual([
    'directconnection',
    'connecttimeoutms',
  ]);
  expect([...givenOptions('mongodb://h')]).toStrictEqual([]);
});

it('tells an address from a folder', () => {
  for (const folder of ['./data', '/var/lib/mongodb', 'mongodb', 'C:\\data', 'mongodb:data']) {
    expect(isMongoAddress(folder)).toBe(false);
    expect(shownLocation(folder)).toBe(folder);
  }
});
