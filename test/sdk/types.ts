/**
 * What the SDK's types promise, tried by the compiler alone: this file is type-checked with the rest and never
 * run. Each `@ts-expect-error` is an error that users must get.
 */
import type { Annotator } from '@concord/sdk/annotator';
import {
  type Agreement,
  type AgreementFigure,
  type Assignment,
  allOf,
  type Client,
  createClient,
  type EmptyReason,
  type ErrorCode,
  type FeedReset,
  type PrioritizedSamples,
  type Project,
  type Queue,
  type RefusalError,
  type Round,
  type Sample,
  type Submission,
  type UndefinedFigure,
  UnknownLabelError,
  type UnknownStrategyError,
} from '@concord/sdk/client';
import { connectDriver, type DriverProject } from '@concord/sdk/driver';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function expectType<T>(): <U>(value: U) => Equal<T, U> extends true ? void : never;
declare const client: Client;
declare const project: DriverProject;
declare const annotator: Annotator;

export async function calls(): Promise<void> {
  // A mutation takes its input, and gives its success alone: refusals are thrown.
  expectType<Queue>()(await client.claim({ project: 'p', hold: 3 }));
  expectType<Submission>()(await client.submit({ assignment: 'a', label: 'spam' }));
  // What the input has a default for, may be left out; what it does not know, may not be given.
  await client.claim({ project: 'p' });
  // @ts-expect-error there is no such field
  await client.claim({ project: 'p', count: 3 });
  // @ts-expect-error the project is missing
  await client.claim({ hold: 3 });
  // @ts-expect-error not a role
  await client.addMember({ project: 'p', name: 'ada', role: 'PERSON' });

  // A query gives what lies at the end of its path, or null where that may be missing.
  expectType<Agreement | null>()(await client.agreement({ project: 'p' }));
  expectType<Project | null>()(await client.project({ id: 'p' }));
  // @ts-expect-error it may be null
  (await client.project({ id: 'p' })).name;
  const { edges, pageInfo } = await client.projects();
  expectType<Project | undefined>()(edges[0]?.node);
  expectType<string | null>()(pageInfo.endCursor);
  for await (const sample of allOf((after) => client.samples({ project: 'p', after })))
    expectType<Sample>()(sample);

  // Members of a union are told apart by __typename.
  const node = await client.node({ id: 'x' });
  if (node?.__typename === 'Round') expectType<Round>()(node);
  const alpha = (await client.agreement({ project: 'p' }))?.alpha;
  if (alpha?.__typename === 'AgreementFigure') expectType<AgreementFigure>()(alpha);
  else expectType<UndefinedFigure | undefined>()(alpha);

  // What comes is not to be changed.
  const queue = await client.claim({ project: 'p' });
  // @ts-expect-error it is read-only
  queue.answers = 3;
  // @ts-expect-error so are its lists
  queue.assignments.push();
  expectType<EmptyReason | undefined>()(queue.empty?.reason);
}

export async function streams(): Promise<void> {
  for await (const push of client.followPrioritized({ project: 'p' })) {
    expectType<PrioritizedSamples | FeedReset>()(push);
    expectType<string>()(push.cursor);
    // @ts-expect-error a reset has no samples
    push.samples;
  }
  for await (const agreement of client.watchAgreement({ project: 'p' })) expectType<Agreement>()(agreement);
}

export function errors(error: unknown): readonly string[] {
  if (error instanceof UnknownLabelError) {
    const code: 'UNKNOWN_LABEL' = error.code;
    expectType<string>()(error.label);
    // @ts-expect-error it has no such detail
    error.strategy;
    return [code, ...error.known];
  }
  return [];
}

// The classes differ in their codes, so one cannot pass for another.
declare const unknownLabel: UnknownLabelError;
// @ts-expect-error another class
export const unknownStrategy: UnknownStrategyError = unknownLabel;
export const refusal: RefusalError = unknownLabel;
export const code: ErrorCode = unknownLabel.code;
// @ts-expect-error the details are part of an error
new UnknownLabelError('No.');

export async function driving(): Promise<void> {
  // @ts-expect-error probabilities are float32
  await project.publishPredictions({ model: 'm', keys: ['a'], probabilities: [0.5, 0.5] });
  // @ts-expect-error the project is the driver's to add
  await project.openRound({ project: 'other', size: 3 });
  expectType<Round>()(await project.waitForRound(await project.openRound()));
  for await (const { round } of project.roundProgress({ number: 1 })) expectType<Round>()(round);
  for await (const { label } of project.trainingSet()) expectType<string>()(label);
  for await (const round of project.rounds({ size: 10, provisional: true })) {
    expectType<number>()(round.number);
    for await (const { label } of round.trainingSet) expectType<string>()(label);
  }
}

export async function annotating(): Promise<void> {
  for await (const assignment of annotator) {
    expectType<Assignment>()(assignment);
    await annotator.submit(assignment, 'spam', { milliseconds: 1_200 });
  }
  for await (const { waiting } of annotator.watchOutbox())
    expectType<string | undefined>()(waiting[0]?.label);
  // @ts-expect-error not a reason
  annotator.assignments({ endOn: ['TIRED'] });
}

export function options(): void {
  createClient({ url: 'http://127.0.0.1/graphql', token: async () => 'token' });
  // @ts-expect-error the token is missing
  createClient({ url: 'http://127.0.0.1/graphql' });
  // @ts-expect-error not a setting
  connectDriver({ url: 'http://127.0.0.1/graphql', token: 't', retries: 3 });
}
