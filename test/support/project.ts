import { isUnionType } from 'graphql';
import { schema } from '../../src/graphql/schema.ts';
import type { Data, Service, Variables } from './service.ts';

/** Somebody with a token. */
export interface Person {
  /** Their global id. */
  readonly id: string;
  readonly token: string;
}

/** A refusal as a mutation answers it: with its details beside code and message. */
export interface Refused extends Data {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Does a mutation `name(input: …!)` and gives what it answers, be it a refusal with all its details.
 * @param selection the fields of the success, as `... on Type { … }`
 */
export async function mutate<T extends object = Data>(
  service: Service,
  token: string | null,
  name: string,
  input: Variables,
  selection = '',
): Promise<T | Refused> {
  const { answer } = await service.query<{ answer: T | Refused }>(token, mutation(name, selection), {
    input,
  });
  return withoutPrefix(answer);
}

/** The document that {@link mutate} sends, and its answer's name is `answer`. */
export function mutation(name: string, selection = ''): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const union = schema.getType(`${title}Result`);
  const types = isUnionType(union) ? union.getTypes() : [];
  const refusals = types
    .filter((type) => type.name.endsWith('Error'))
    .map((type) => {
      const fields = Object.keys(type.getFields()).filter((field) => field !== 'code' && field !== 'message');
      // Two refusals may have fields of one name and different types: only under other names do they go together.
      const details = fields.map(
        (f) => `${PREFIX}${type.name}_${f}: ${f}${f === 'badRows' ? ' { row problem }' : ''}`,
      );
      return `... on ${type.name} { code message ${details.join(' ')} }`;
    });
  return `mutation M($input: ${title}Input!) {
    answer: ${name}(input: $input) { __typename ${selection} ${refusals.join(' ')} }
  }`;
}

const PREFIX = 'of_';

function withoutPrefix<T extends object>(answer: T): T {
  const fields = Object.entries(answer).map(([name, value]) => [name.replace(/^of_[A-Za-z]+_/, ''), value]);
  return Object.fromEntries(fields);
}

/**
 * As `mutate`, for what must succeed.
 * @throws {Error} it was refused
 */
export async function must<T extends object = Data>(
  service: Service,
  token: string | null,
  name: string,
  input: Variables,
  selection = '',
): Promise<T> {
  const answer = await mutate<T>(service, token, name, input, selection);
  if (isRefused(answer)) throw new Error(`${name} was refused: ${JSON.stringify(answer)}`);
  return answer;
}

export function isRefused(answer: object): answer is Refused {
  return 'code' in answer;
}

/** Creates a project as the service's owner and gives its id. */
export async function createProject(service: Service, input: Variables = {}): Promise<string> {
  const given = { name: 'Project', labels: ['spam', 'ham'], seed: 1, ...input };
  const selection = '... on Project { id }';
  const { id } = await must<{ id: string }>(service, service.ownerToken, 'createProject', given, selection);
  return id;
}

export type Role = 'OWNER' | 'DRIVER' | 'ANNOTATOR' | 'VIEWER';

/** Adds somebody to a project, in a role. */
export async function addMember(
  service: Service,
  project: string,
  role: Role,
  { name = role.toLowerCase(), ...more }: { readonly name?: string; readonly tokenDays?: number } = {},
): Promise<Person> {
  const { token, member } = await must<{ token: string; member: { id: string } }>(
    service,
    service.ownerToken,
    'addMember',
    { project, role, name, ...more },
    '... on NewToken { token member { id } }',
  );
  return { id: member.id, token };
}

/** Imports samples in one part, as the service's owner. */
export function importSamples(
  service: Service,
  project: string,
  samples: readonly { readonly key: string; readonly data: unknown }[],
  { importId = 'import', part = 0 }: { readonly importId?: string; readonly part?: number } = {},
): Promise<{ readonly first: number; readonly count: number }> {
  const input = { project, importId, part, samples };
  return must(service, service.ownerToken, 'importSamples', input, '... on ImportedPart { first count }');
}

/** float32 rows as base64. */
export function rows(...values: readonly (readonly number[])[]): string {
  return Buffer.from(new Float32Array(values.flat()).buffer).toString('base64');
}

/** uint32 numbers as base64. */
export function numbers(...values: readonly number[]): string {
  return Buffer.from(new Uint32Array(values).buffer).toString('base64');
}

export interface PublishedRun {
  readonly id: string;
  readonly number: number;
  readonly rows: number;
  readonly accepted: number;
  readonly audits: number;
}

/** Uploads one part of predictions, by key, and publishes it as a run, as the service's owner. */
export async function publish(
  service: Service,
  project: string,
  predictions: Readonly<Record<string, readonly number[]>>,
  model = 'model',
): Promise<PublishedRun> {
  const distributions = Object.values(predictions);
  const part = {
    project,
    keys: Object.keys(predictions),
    classes: distributions[0]?.length ?? 0,
    probabilities: rows(...distributions),
  };
  const { receipt } = await must<{ receipt: string }>(
    service,
    service.ownerToken,
    'uploadPredictions',
    part,
    '... on UploadedPart { receipt }',
  );
  const input = { project, model, parts: [receipt] };
  const selection = '... on PredictionRun { id number rows accepted audits }';
  return must(service, service.ownerToken, 'publishPredictions', input, selection);
}

export interface OpenedRound {
  readonly id: string;
  readonly number: number;
  readonly size: number;
  readonly total: number;
  readonly settled: number;
  readonly isOpen: boolean;
}

/** Opens a round as the service's owner. */
export function openRound(service: Service, project: string, input: Variables): Promise<OpenedRound> {
  const selection = '... on Round { id number size total settled isOpen }';
  return must(service, service.ownerToken, 'openRound', { project, seed: 1, ...input }, selection);
}

/** An assignment as its annotator gets it. */
export interface Assignment {
  readonly id: string;
  readonly data: unknown;
  readonly suggestion: string | null;
  readonly state: string;
  readonly label: string | null;
  readonly until: string;
}

export interface Queue {
  readonly assignments: readonly Assignment[];
  readonly empty: { readonly reason: string; readonly until: string | null } | null;
  readonly answers: number;
  readonly workSession: { readonly until: string; readonly breakUntil: string } | null;
}

const QUEUE =
  'assignments { id data suggestion state label until } empty { reason until } answers workSession { until breakUntil }';

/** Tops up somebody's queue. */
export function claim(service: Service, { token }: Person, project: string, hold = 1): Promise<Queue> {
  return must(service, token, 'claim', { project, hold }, `... on Queue { ${QUEUE} }`);
}

/** Answers an assignment, and tops the queue up to `hold` if that is given. */
export function submit(
  service: Service,
  { token }: Person,
  assignment: string,
  label: string,
  hold?: number,
): Promise<{ readonly assignment: Assignment; readonly queue: Queue }> {
  const selection = `... on Submission { assignment { id data suggestion state label until } queue { ${QUEUE} } }`;
  return must(service, token, 'submit', { assignment, label, ...(hold && { hold }) }, selection);
}
