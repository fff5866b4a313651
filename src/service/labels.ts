import { refuse } from '../domain/refusals.ts';
import type { Concord } from './concord.ts';
import { checkStorable } from './storable.ts';
import { orRefusal } from './trouble.ts';

/*
 * What people are called, and what was written of them on tokens and invitations, are documents beside the journals:
 * they can be deleted, and a journal cannot.
 */

/** Names of people and tools, by member. */
export const NAMES = 'member-names';

/** What a member's tokens are for, by token: a collection for each member, so that all can be found that there ever were. */
export function tokenLabels(member: string): string {
  return `token-labels of ${member}`;
}

/** Whom invitations are for, by invitation. */
export const INVITATION_LABELS = 'invitation-labels';

const MAX_LENGTH = 200;

/** @throws {Refusal} INVALID_INPUT: it is too long, or cannot be kept */
export function labelOf(label: string): string {
  if (label.length > MAX_LENGTH) {
    throw refuse('INVALID_INPUT', {
      field: 'label',
      problem: `a label has at most ${MAX_LENGTH} characters`,
    });
  }
  checkStorable(label, 'label');
  return label;
}

/** @throws {Refusal} INVALID_INPUT: it is empty, too long, or cannot be kept */
export function nameOf(name: string): string {
  if (name.trim() === '' || name.length > MAX_LENGTH) {
    throw refuse('INVALID_INPUT', {
      field: 'name',
      problem: `a member is named by 1 to ${MAX_LENGTH} characters`,
    });
  }
  checkStorable(name, 'name');
  return name;
}

/** A text by the collection and the id of its document; an empty one is kept by there being none. */
export type Text = readonly [collection: string, id: string, text: string];

/** Keeps texts while that comes about of which they speak: the texts first, and away with them if nothing comes of it. */
export async function keeping<T>(
  { store }: Concord,
  texts: readonly Text[],
  comeAbout: () => Promise<T>,
): Promise<T> {
  const kept = texts.filter(([, , text]) => text !== '');
  try {
    for (const [collection, id, text] of kept) await orRefusal(store.putDocument(collection, id, text));
    return await comeAbout();
  } catch (error) {
    // What is said of nobody is to be kept least of all; if that fails too, nothing more can be done here.
    for (const [collection, id] of kept) await store.deleteDocument(collection, id).catch(() => undefined);
    throw error;
  }
}

/** A text, or null: it was deleted, or there never was one. */
export async function textAt({ store }: Concord, collection: string, id: string): Promise<string | null> {
  const text = await orRefusal(store.getDocument(collection, id));
  return typeof text === 'string' ? text : null;
}

/** What a token is for; empty: nobody has said. */
export async function tokenLabel(
  concord: Concord,
  { member, id }: { readonly member: string; readonly id: string },
): Promise<string> {
  return (await textAt(concord, tokenLabels(member), id)) ?? '';
}

/** Whom an invitation is for; empty: nobody has said. */
export async function invitationLabel(concord: Concord, { id }: { readonly id: string }): Promise<string> {
  return (await textAt(concord, INVITATION_LABELS, id)) ?? '';
}
