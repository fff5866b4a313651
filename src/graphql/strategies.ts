import type { StrategyInfo } from '../service/concord.ts';
import { strategiesStream } from '../service/states.ts';
import { builder, viewerOf } from './builder.ts';

const StrategyType = builder.objectRef<StrategyInfo>('Strategy').implement({
  description: 'A way to choose what is labelled next: a file in the plugins folder.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'By which rounds and policies name it.' }),
    description: t.exposeString('description', { description: 'What it does, in a line.' }),
    file: t.exposeString('file', { description: 'Its file within the folder.' }),
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
    description: 'The strategies found in the plugins folder, broken ones with what is wrong with them.',
    resolve: (_, __, context) => {
      viewerOf(context);
      return [...context.concord.strategies.list()];
    },
  }),
);

builder.subscriptionField('strategies', (t) =>
  t.field({
    type: [StrategyType],
    description: 'State: the strategies found in the plugins folder, whenever a file in it has changed.',
    subscribe: (_, __, context) => strategiesStream(context.concord, viewerOf(context)),
    resolve: (strategies) => [...strategies],
  }),
);
