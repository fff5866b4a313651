import type { Majority } from '../domain/consensus.ts';
import { majority } from '../domain/consensus.ts';
import type { Project } from '../domain/project.ts';
import { NONE, type PayloadPlace } from '../domain/sampleTable.ts';
import { type ProjectAccess, STEERING } from '../service/access.ts';
import { delay } from '../service/environment.ts';
import { annotationViews } from '../service/views.ts';
import { builder, type Context } from './builder.ts';
import { cursorOf, sliceOf } from './connections.ts';
import { globalId } from './ids.ts';
import { ProjectType } from './project.ts';
import { maySee } from './visibility.ts';

/** An export is text that is made at once: a field a sample, resolved and checked one by one, would cost ten times as much. */

/** The most samples of one page, and the bytes behind which it ends. */
const MAX_EXPORT = 2_000;
const PAGE_BYTES = 2 * 1024 * 1024;
/** Samples that are looked at in one turn: a few milliseconds' worth. */
const SAMPLES_PER_TURN = 250;

interface ExportView {
  readonly lines: string;
  readonly count: number;
  readonly cursor: string | null;
  readonly hasNextPage: boolean;
}

const ExportType = builder.objectRef<ExportView>('SampleExport').implement({
  description: 'Some samples with their answers, as text.',
  fields: (t) => ({
    lines: t.exposeString('lines', {
      description:
        'NDJSON: a JSON object a sample, each on a line, as docs/formats.md has it, with opaque ids for people.',
    }),
    count: t.exposeInt('count', { description: 'How many samples.' }),
    cursor: t.exposeString('cursor', {
      nullable: true,
      description: 'As `after`, it goes on behind the last of them; null if there are none.',
    }),
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there are more.' }),
  }),
});

builder.objectField(ProjectType, 'export', (t) =>
  t.field({
    type: ExportType,
    nullable: true,
    description: `Samples with their answers and where those come from, in the order of import, each as it stands when it is read. A page ends where it is full: with \`first\` samples, or behind ${PAGE_BYTES >> 20} MiB. For owners and drivers; null to others.`,
    args: {
      first: t.arg.int({ description: `How many at most: 1…${MAX_EXPORT}; ${MAX_EXPORT} by default.` }),
      after: t.arg.string({ description: 'Begins behind this cursor, which may be one of `samples` too.' }),
    },
    resolve: async (access, args, context) => {
      if (!maySee(access, STEERING)) return null;
      const { from, size } = sliceOf(args, { list: 'samples', max: MAX_EXPORT, usual: MAX_EXPORT });
      return exportFrom(access, from, size, context);
    },
  }),
);

async function exportFrom(
  access: ProjectAccess,
  from: number,
  size: number,
  { answer, concord }: Context,
): Promise<ExportView> {
  const parts: string[] = [];
  let [count, bytes, samples] = [0, 0, 0];
  for (;;) {
    const next = Math.min(SAMPLES_PER_TURN, size - count);
    const turn = await access.live.read((project) => {
      samples = project.samples.size;
      return Array.from({ length: Math.max(0, Math.min(next, samples - from - count)) }, (_, i) =>
        exported(project, access.live.id, from + count + i),
      );
    });
    let part = '';
    for (const { head, payload, tail } of turn) {
      const line = `${head}${(await concord.payloads.json(payload)).toString('utf8')}${tail}\n`;
      part += line;
      bytes += line.length;
      count++;
      if (bytes >= PAGE_BYTES) break;
    }
    parts.push(await answer.texts(part));
    if (bytes >= PAGE_BYTES || count === size || turn.length < next) break;
    await delay(concord.environment, 0);
  }
  return {
    lines: parts.join(''),
    count,
    cursor: count === 0 ? null : cursorOf('samples', from + count - 1),
    hasNextPage: from + count < samples,
  };
}

/** A line of JSON but for the payload, which is JSON already: what stands before it and behind it. */
interface Exported {
  readonly head: string;
  readonly payload: PayloadPlace;
  readonly tail: string;
}

function exported(project: Project, id: string, sample: number): Exported {
  const { samples, labels, gold, rulings } = project;
  const predicted = samples.predicted.get(sample);
  const known = gold.labelOf(sample);
  const ruling = rulings.get(sample);
  const fields = {
    consensus: consensusIn(labels, majority(project.countedLabels(sample))),
    gold: known === undefined ? null : labels[known],
    ruling:
      ruling === undefined
        ? null
        : {
            label: labels[ruling.label],
            reason: ruling.reason,
            by: globalId('Member', ruling.by),
            at: new Date(ruling.at),
          },
    predicted: predicted === NONE ? null : labels[predicted],
    confidence: predicted === NONE ? null : samples.confidence.get(sample),
    autoAccepted: project.isAutoAccepted(sample),
    skips: samples.skips.get(sample),
    unanswerable: samples.isUnanswerable(sample),
    annotations: annotationViews(project, sample).map(({ id: assignment, member, run, ...view }) => ({
      id: globalId('Assignment', id, assignment),
      annotator: globalId('Member', member),
      label: view.label,
      answeredAt: new Date(view.answeredAt),
      milliseconds: view.milliseconds,
      draw: view.draw,
      round: view.round,
      suggestion: view.suggestion,
      suggestions: view.mode,
      firstLabel: view.firstLabel,
      movedToSuggestion: view.movedToSuggestion,
      predictionRun: run,
      predicted: view.predicted,
      counted: view.counted,
    })),
  };
  return {
    head: `{"key":${JSON.stringify(samples.keys.keyAt(sample))},"number":${sample},"data":`,
    payload: samples.payload(sample),
    tail: `,${JSON.stringify(fields).slice(1)}`,
  };
}

function consensusIn(labels: readonly string[], found: Majority) {
  if (found.kind === 'none') return null;
  const { votes, of } = found;
  if (found.kind === 'label') return { label: labels[found.label], tied: [], votes, of };
  return { label: null, tied: found.labels.map((label) => labels[label]), votes, of };
}
