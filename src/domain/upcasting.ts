import { type DirectoryEvent, UNCONFINED } from './directory.ts';
import { type ProjectEvent, UnknownEventError } from './events.ts';
import type { Policy } from './policy.ts';

/**
 * Events of earlier releases, in today's form. A journal is never rewritten: what it holds is brought up as it is read, so
 * that folds and everybody else who looks at events know one form of each type.
 *
 * An event's `version` is its form; without one it is the first. Whoever changes what a type carries raises its version
 * and adds the step from the form before. Another meaning is another type.
 */

/** An event as a journal holds it, of whatever release. */
export type KeptEvent = Readonly<Record<string, unknown>>;

/** From one form of a type to the next, from the first on. */
export type Steps = Readonly<Record<string, readonly ((event: KeptEvent) => KeptEvent)[]>>;

/**
 * What brings events up.
 * @param steps by type; a type without any still has its first form
 * @returns throws an {@link UnknownEventError} at an event of a form that is newer than this release
 */
export function upcaster<E>(steps: Steps): (event: unknown) => E {
  return (event) => {
    const { type, version } = (event ?? {}) as KeptEvent;
    const ofType = typeof type === 'string' && Object.hasOwn(steps, type) ? (steps[type] ?? []) : NONE;
    const form = version === undefined ? 1 : Number(version);
    if (form === ofType.length + 1) return event as E;
    if (!(form >= 1 && form <= ofType.length)) throw new UnknownEventError(event);
    return ofType
      .slice(form - 1)
      .reduce((kept, step, i) => ({ ...step(kept), version: form + i + 1 }), event as KeptEvent) as E;
  };
}

const NONE: Steps[string] = [];

/** Release 0.1: there was no gold. */
function withoutGold(event: KeptEvent): KeptEvent {
  return { ...event, policy: { gold: NO_GOLD, ...(event['policy'] as object) } };
}

const NO_GOLD: Policy['gold'] = { share: 0, limit: 0.7, reserve: 10 };

export const currentProjectEvent = upcaster<ProjectEvent>({
  projectCreated: [withoutGold],
  policyChanged: [withoutGold],
  roundOpened: [(event) => ({ goldRanks: new Uint32Array(), ...event })],
});

export const currentDirectoryEvent = upcaster<DirectoryEvent>({
  // Release 0.1: a token could do whatever its member could.
  tokenIssued: [(event) => ({ ...event, scope: UNCONFINED })],
});
