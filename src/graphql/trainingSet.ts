import { type ResolveCursorConnectionArgs, resolveCursorConnection } from '@pothos/plugin-relay';
import { refuse } from '../domain/refusals.ts';
import { type TrainingLabel, trainingLabels } from '../domain/trainingSet.ts';
import { STEERING } from '../service/access.ts';
import { builder } from './builder.ts';
import { ProjectType } from './project.ts';
import { DrawEnum } from './rounds.ts';
import { SampleType, type SampleView, sampleView } from './samples.ts';
import { maySee } from './visibility.ts';

const LabelSourceEnum = builder.enumType('LabelSource', {
  description: 'Where a training label comes from.',
  values: {
    CONSENSUS: { value: 'CONSENSUS', description: "People's majority." },
    AUTO_ACCEPTED: { value: 'AUTO_ACCEPTED', description: 'A prediction that stood in for people.' },
  } as const,
});

interface TrainingExample extends TrainingLabel {
  readonly name: string;
  readonly view: SampleView;
}

const TrainingExampleType = builder.objectRef<TrainingExample>('TrainingExample').implement({
  description: 'A sample with the label that a model may learn from.',
  fields: (t) => ({
    sample: t.field({ type: SampleType, description: 'The sample.', resolve: ({ view }) => view }),
    label: t.exposeString('name', { description: 'Its label.' }),
    source: t.expose('source', { type: LabelSourceEnum, description: 'Where the label comes from.' }),
    draw: t.expose('draw', {
      type: DrawEnum,
      nullable: true,
      description: 'Why people were asked; null for an auto-accepted one.',
    }),
    votes: t.exposeInt('votes', { description: 'Answers for this label; 0 for an auto-accepted one.' }),
    of: t.exposeInt('of', { description: 'Answers that count.' }),
  }),
});

builder.objectField(ProjectType, 'trainingSet', (t) =>
  t.connection({
    type: TrainingExampleType,
    nullable: true,
    description:
      "People's consensus, and what was auto-accepted and stood up to audit. Ties are left out. In the order of import; forward only. For owners and drivers; null to others.",
    args: {
      provisional: t.arg.boolean({
        defaultValue: false,
        required: true,
        description: 'Whether to take in what is auto-accepted while its audits have not decided.',
      }),
    },
    resolve: async (access, args) => {
      if (!maySee(access, STEERING)) return null;
      return resolveCursorConnection(
        {
          args,
          defaultSize: 100,
          maxSize: 1_000,
          toCursor: (example: TrainingExample) => String(example.sample),
        },
        async ({
          after,
          before,
          limit,
          inverted,
        }: ResolveCursorConnectionArgs): Promise<TrainingExample[]> => {
          if (before !== undefined || inverted) {
            throw refuse('BAD_CURSOR', { problem: 'the training set is paged forward only' });
          }
          const from = after === undefined ? 0 : Number(after) + 1;
          if (!Number.isSafeInteger(from) || from < 0)
            throw refuse('BAD_CURSOR', { problem: 'it is malformed' });
          const { provisional } = args;
          const page = await access.live.read((project) =>
            trainingLabels(project, { from, count: limit, provisional }).map((label) => ({
              ...label,
              name: project.labels[label.label] ?? '',
            })),
          );
          return Promise.all(
            page.map(async (entry) => ({ ...entry, view: await sampleView(access, entry.sample) })),
          );
        },
      );
    },
  }),
);
