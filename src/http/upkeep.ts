import type { Logger } from 'pino';
import { Upkeep } from '../service/upkeep.ts';
import { realEnvironment } from './environment.ts';
import { UpkeepThread } from './upkeepThread.ts';

/** The upkeep of the store at a location, in threads of this process, which says in the log how it goes. */
export function startUpkeep(location: string, logger: Logger): Upkeep {
  const onProblem = (journal: string | null, problem: string) => {
    if (journal === null) logger.warn({ problem }, 'unnamed chunks were not swept');
    else logger.warn({ journal, problem }, 'snapshot');
  };
  const tasks = new UpkeepThread(new URL('./upkeepWorker.js', import.meta.url), location, onProblem);
  return new Upkeep(tasks, realEnvironment, {
    onSnapshot: (journal, { seq, bytes }) => logger.info({ journal, seq, bytes }, 'snapshot taken'),
    onSweep: ({ chunks, deleted }) => {
      if (deleted > 0) logger.info({ chunks, deleted }, 'unnamed chunks swept');
    },
    onProblem,
  });
}
