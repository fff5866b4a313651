import { type LabelSource, type TrainingLabel, trainingLabels } from '../domain/trainingSet.ts';
import { STEERING } from '../service/access.ts';
import { builder, enumType, forwardArgs } from './builder.ts';
import { forwardPage } from './connections.ts';
import { DrawEnum } from './draws.ts';
import { ProjectType } from './project.ts';
import { SampleType, type SampleView, sampleView } from './samples.ts';
import { maySee } from './visibility.ts';

const LabelSourceEnum = enumType<LabelSource>('LabelSource', 'Where a training label comes from.', {
  GOLD: 'It is gold: what it is, is known.',
  RULING: "An expert's ruling, whatever the answers say.",
  CONSENSUS: "People's label, as the policy's `consensus` has it found.",
  AUTO_ACCEPTED: 'A prediction that stood in for people.',
});

interface TrainingExample extends TrainingLabel {
  readonly name: string;
  readonly view: SampleView;
  readonly estimatedAt: number | null;
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
    confidence: t.exposeFloat('confidence', {
      description:
        "How sure the label is, 0…1: by a ruling 1, by majority the share of its votes, by DAWID_SKENE its probability, of an auto-accepted one the model's.",
    }),
    estimatedAt: t.exposeInt('estimatedAt', {
      nullable: true,
      description:
        'The commit at which the estimate stands from which a label by DAWID_SKENE comes; null for others.',
    }),
  }),
});

/** The most that one page of the training set holds. */
export const MAX_EXAMPLES = 1_000;

const TrainingSetType = builder.connectionObject(
  { type: TrainingExampleType, name: 'ProjectTrainingSetConnection' },
  { name: 'ProjectTrainingSetConnectionEdge' },
);

builder.objectField(ProjectType, 'trainingSet', (t) =>
  t.field({
    type: TrainingSetType,
    nullable: true,
    description:
      "What was ruled, people's consensus, and what was auto-accepted and stood up to audit. Ties are left out. In the order of import, forward only. By DAWID_SKENE, the first page has consensus estimated anew if answers have changed; those after it take what there is. For owners and drivers; null to others.",
    args: {
      provisional: t.arg.boolean({
        defaultValue: false,
        required: true,
        description: 'Whether to take in what is auto-accepted while its audits have not decided.',
      }),
      ...forwardArgs(t.arg, MAX_EXAMPLES),
    },
    resolve: async (access, { provisional, ...args }) => {
      if (!maySee(access, STEERING)) return null;
      const list = {
        list: 'training-set',
        max: MAX_EXAMPLES,
        placeIn: ({ sample }: TrainingExample) => sample,
      };
      const isEstimated = await access.live.read(({ policy }) => policy.consensus.method === 'DAWID_SKENE');
      const { estimates } = access.live;
      const estimate = isEstimated
        ? await (args.after == null ? estimates.upToDate() : estimates.newest())
        : null;
      return forwardPage(args, list, async (from, count) => {
        const options = { from, count, provisional, estimate: estimate?.fit ?? null };
        const examples = await access.live.read((project) =>
          trainingLabels(project, options).map((label) => ({
            ...label,
            name: project.labels[label.label] ?? '',
            estimatedAt: label.source === 'CONSENSUS' && estimate?.fit ? estimate.seq : null,
          })),
        );
        return Promise.all(
          examples.map(async (example) => ({ ...example, view: await sampleView(access, example.sample) })),
        );
      });
    },
  }),
);
