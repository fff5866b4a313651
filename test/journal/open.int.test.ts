import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/journal/open.ts';
import { StoreError, StoreUnavailableError } from '../../src/journal/port.ts';
import { expectRefusal, temporaryFolder } from './folders.ts';

const NOBODY = '127.0.0.1:1';
const OPTIONS = 'serverSelectionTimeoutMS=100&directConnection=true';

describe('a store is opened by its location', () => {
  it('which may be a folder', async () => {
    const folder = await temporaryFolder();
    const store = await openStore(folder);
    expect(await store.journals()).toStrictEqual([]);
    await store.close();
    await rm(folder, { recursive: true });
  });

  it('which may not be of a kind that nobody knows', async () => {
    await expectRefusal(openStore('postgres://localhost'), StoreError, /postgres:\/\/.*mongodb:\/\//);
  });

  it('in MongoDB in the database that it names, or in concord', async () => {
    const named = openStore(`mongodb://${NOBODY}/labels?${OPTIONS}`);
    await expectRefusal(named, StoreUnavailableError, /mongodb:\/\/127\.0\.0\.1:1\/labels /);
    const unnamed = openStore(`mongodb://${NOBODY}/?${OPTIONS}`);
    await expectRefusal(unnamed, StoreUnavailableError, /mongodb:\/\/127\.0\.0\.1:1\/concord /);
  });

  it('and where nobody answers, the message says what to do and no password', async () => {
    const opening = openStore(`mongodb://ada:secret@${NOBODY}/labels?${OPTIONS}`);
    const error = await opening.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/no server that takes writes can be reached.*check the address/);
    expect(String(error)).not.toMatch(/ada|secret/);
  });

  it.each([
    'mongodb://',
    'mongodb://h:0',
    'mongodb://h/?w=',
    'mongodb://h/?tls=maybe',
    'mongodb://h/?ours=1',
    'mongodb://h/%zz',
    'mongodb://a:secret:c@h',
    'mongodb://a:sec@ret@h',
    'mongodb://a:sec/ret@h',
  ])('which cannot be understood: %s', async (url) => {
    const error = await openStore(url).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/the address of the store in mongodb:\/\/.*cannot be read: ./);
    expect(String(error)).not.toMatch(/sec/);
  });
});
