import type { MutationName } from './generated/operations.ts';
import type { Operation } from './operation.ts';

/** How often and when what failed on its way is tried again. */
export interface RetryPolicy {
  /** How often a call is tried in all; 1: never again. Streams go on until they are left. Default: 8. */
  readonly attempts: number;
  /** The longest wait before the second attempt, in milliseconds; it doubles from attempt to attempt. Default: 200. */
  readonly minDelayMs: number;
  /** The longest wait, in milliseconds. Default: 10,000. */
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 8, minDelayMs: 200, maxDelayMs: 10_000 };

/**
 * Whether a mutation comes to the same when it arrives twice, so that it may be sent again after a network error
 * that leaves open whether it arrived. A new mutation does not compile until somebody has decided.
 */
const REPEATABLE: Readonly<Record<MutationName, boolean>> = {
  // Each of these names its target, and leaves alone what is so already.
  Claim: true,
  Submit: true,
  Skip: true,
  Release: true,
  Renew: true,
  Undo: true,
  EndWorkSession: true,
  CloseRound: true,
  ReopenRuling: true,
  Rule: true,
  SetGold: true,
  RemoveGold: true,
  ResumeAnnotator: true,
  SetRole: true,
  UpdatePolicy: true,
  ErasePerson: true,
  EraseSamples: true,
  // The import id and part, and the content, are the keys: the first result stands.
  ImportSamples: true,
  UploadPredictions: true,
  UploadEmbeddings: true,
  // Each of these makes something new every time, or is refused the second time though the first was done.
  AddMember: false,
  CreateProject: false,
  IssueToken: false,
  OpenRound: false,
  PublishPredictions: false,
  PublishEmbeddings: false,
  // Would say that it ended none.
  RevokeTokens: false,
  RevokeToken: false,
  ExpireToken: true,
  RotateToken: false,
  Invite: false,
  WithdrawInvitation: true,
  AcceptInvitation: false,
};

/** Whether an operation may be sent again though it may have arrived. */
export function isRepeatable({ kind, name }: Operation): boolean {
  return kind !== 'mutation' || REPEATABLE[name as MutationName];
}

/**
 * How long to wait before trying again, in milliseconds: exponential, and in its upper half random, so that
 * clients who lost the same server do not all come back at once.
 *
 * @param failures how many attempts have failed, from 1
 */
export function delayAfter(failures: number, { minDelayMs, maxDelayMs }: RetryPolicy): number {
  const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (failures - 1));
  return longest * (0.5 + Math.random() / 2);
}

/** Waits; not any longer once the signal is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
