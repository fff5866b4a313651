import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Store, StoreError } from '../../src/journal/port.ts';

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'concord-journal-'));
}

/** Expects that a store is not opened, and that the error is of just this class and says so much. */
export async function expectRefusal(
  opening: Promise<Store>,
  kind: new (message: string) => StoreError,
  message: RegExp,
): Promise<void> {
  const outcome = await opening.catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(kind);
  expect(outcome).toMatchObject({ name: kind.name, message: expect.stringMatching(message) });
}
