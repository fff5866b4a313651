import type { StrategyInfo } from '../service/concord.ts';
import { strategiesStream } from '../service/states.ts';
import { builder, viewerOf } from './builder.ts';

const StrategyType = builder.objectRef<StrategyInfo>('Strategy').implement({
  description:
    'A way to choose what is labelled next: one that comes with Concord, or a file in a plugins folder.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'By which rounds and policies name it.' }),
    description: t.exposeString('description', { description: 'What it does, in a line.' }),
    file: t.exposeString('file', {
      description: 'Its file within its folder; `concord/…` is one that comes with Concord.',
    }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'SHA-256 of its code; null if it does not compile.',
    }),
    needs: t.stringList({ description: 'What it needs of the project.', resolve: ({ needs }) => [...needs] }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why it cannot be used; null if it can.',
    }),
  }),
});

builder.queryField('strategies', (t) =>
  t.field({
    type: [StrategyType],
    description:
      'The strategies that come with Concord and those in the plugins folders, broken ones with what is wrong with them.',
    resolve: (_, __, context) => {
      viewerOf(context);
      return [...context.concord.strategies.list()];
    },
  }),
);

builder.subscriptionField('strategies', (t) =>
  t.field({
    type: [StrategyType],
    description: 'State: the strategies that there are, whenever a file in their folders has changed.',
    subscribe: (_, __, context) => strategiesStream(context.concord, viewerOf(context)),
    resolve: (strategies) => [...strategies],
  }),
);
