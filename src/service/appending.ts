import {
  type Commit,
  SeqTakenError,
  type Store,
  StoreFullError,
  StoreUnavailableError,
} from '../journal/port.ts';
import { delay, type Environment } from './environment.ts';

/** How long to wait before an append of unknown outcome is tried again: the same commit, so it lands once. */
const PAUSES_MS = [20, 200];

/**
 * Appends a commit. Under its own id it may be sent again: if it had landed after all, that is a success.
 * @throws {SeqTakenError} another node was faster
 * @throws {StoreError} as `Store.append`
 */
export async function appendCommit(
  store: Store,
  environment: Environment,
  journal: string,
  commit: Commit,
): Promise<void> {
  const { observer } = environment;
  const done = observer?.commit(journal, commit.events.length);
  try {
    await appendUntilKnown(store, environment, journal, commit);
    done?.(true);
  } catch (error) {
    done?.(false);
    if (error instanceof SeqTakenError) observer?.fenceLost();
    throw error;
  }
}

async function appendUntilKnown(
  store: Store,
  environment: Environment,
  journal: string,
  commit: Commit,
): Promise<void> {
  let unknown: StoreUnavailableError | null = null;
  for (const pause of [...PAUSES_MS, null]) {
    try {
      await store.append(journal, commit);
      return;
    } catch (error) {
      // That this try found no space does not say what became of those before: they may have landed, or land yet.
      if (error instanceof StoreFullError && unknown !== null) throw unknown;
      if (!(error instanceof StoreUnavailableError) || pause === null) throw error;
      unknown = error;
      await delay(environment, pause);
    }
  }
}
