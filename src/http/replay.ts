import { directoryOf } from '../service/copying.ts';
import { roundOf } from '../service/pastRounds.ts';
import { type Replay, type ReplayedRank, replayRound } from '../service/replaying.ts';
import { StrategyFolderError } from '../strategies/errors.ts';
import { openStrategyHost, type StrategyHost } from '../strategies/host.ts';
import type { PluginFolder } from '../strategies/plugins.ts';
import { CommandError } from './command.ts';
import { realEnvironment } from './environment.ts';
import { pluginFolders } from './package.ts';
import { projectsNamed, storeWork, withStore } from './storeWork.ts';

const TOP = 10;

interface Given {
  readonly store: string;
  readonly plugins: string;
  readonly strategy: string;
  readonly parameters: string;
}

/** `concord replay`; whether the round was chosen the same, or another strategy could be compared with it. */
export function replay(given: Given, rest: readonly string[]): Promise<boolean> {
  const [name, number, ...more] = rest;
  if (name === undefined || number === undefined || more.length > 0) {
    throw new CommandError('name a project and the number of a round. See concord replay --help.');
  }
  if (!/^[1-9]\d{0,8}$/.test(number)) throw new CommandError(`${number} is no number of a round`);
  const instead = insteadOf(given);
  return withStore(given.store, 'READ', async (store) => {
    const work = storeWork('directory');
    const [project = ''] = projectsNamed(await directoryOf(store, work), [name]);
    const found = await roundOf(store, project, Number(number));
    if (found === null) throw new CommandError(`project ${name} has no round ${number}`);
    const strategies = await openStrategies(await pluginFolders([given.plugins]));
    try {
      const { pause } = work;
      const { signal } = new AbortController();
      const done = await replayRound(store, project, strategies, found, { instead, top: TOP, pause, signal });
      process.stdout.write(`${report(done, instead !== null).join('\n')}\n`);
      return done.verdict === 'IDENTICAL' || (instead !== null && done.verdict === 'DIFFERENT');
    } finally {
      await strategies.close();
    }
  });
}

function insteadOf({ strategy, parameters }: Given) {
  if (strategy === '') {
    if (parameters === '') return null;
    throw new CommandError('--parameters go with --strategy');
  }
  try {
    const value: unknown = parameters === '' ? {} : JSON.parse(parameters);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { strategy, parameters: value as Readonly<Record<string, unknown>> };
    }
  } catch {
    // Said below.
  }
  throw new CommandError(`--parameters must be a JSON object, and not ${parameters}`);
}

async function openStrategies(folder: readonly PluginFolder[]): Promise<StrategyHost> {
  try {
    return await openStrategyHost({ folder, environment: realEnvironment });
  } catch (error) {
    if (error instanceof StrategyFolderError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

function report(done: Replay, isOther: boolean): string[] {
  const { verdict, round, strategy, problem, changed, recorded, chosen, common, jaccard } = done;
  const lines = [
    `round ${round}, ${strategy}: ${isOther && problem === null ? 'compared' : verdict.toLowerCase()}`,
  ];
  if (problem !== null) lines.push(`  ${problem}`);
  for (const { strategy, was, is } of changed) {
    const now = is === null ? 'is not there any more' : `is ${is.slice(0, 12)} now`;
    lines.push(`  the code of ${strategy} was ${was.slice(0, 12)} and ${now}`);
  }
  if (problem !== null) return lines;
  lines.push(
    `  ${common} of ${recorded} samples are chosen again, of ${chosen}; Jaccard ${jaccard.toFixed(3)}`,
  );
  if (done.firstDifference !== null && !isOther)
    lines.push(`  the first difference is at rank ${done.firstDifference}`);
  if (verdict === 'DIFFERENT') lines.push('', ...table(done.top, isOther ? strategy : 'now'));
  return lines;
}

function table(top: readonly ReplayedRank[], title: string): string[] {
  const cell = (scored: ReplayedRank['recorded']) =>
    scored === null ? '–' : `${scored.key} ${Number.isNaN(scored.score) ? '' : scored.score.toFixed(6)}`;
  const rows = top.map(({ rank, recorded, replayed }) => [String(rank), cell(recorded), cell(replayed)]);
  const all = [['rank', 'then', title], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
