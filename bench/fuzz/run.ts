import { readFile } from 'node:fs/promises';
import {
  arrays,
  attack,
  bodies,
  type Door,
  documents,
  files,
  frames,
  type Target,
  type Tried,
} from './doors.ts';
import { dice } from './mutation.ts';
import { rawFrames } from './rawFrames.ts';

/** What a run comes to. */
export interface Fuzzed {
  readonly seed: number;
  readonly doors: readonly Tried[];
  /** Faults that the service has logged. */
  readonly logged: number;
}

/**
 * Sends inputs through every door of a service.
 * @param manifest the documents of the SDK, by which the valid ones begin
 */
export async function fuzz(
  target: Target,
  manifest: URL,
  { inputs, seed }: { readonly inputs: number; readonly seed: number },
): Promise<Fuzzed> {
  const texts = Object.values(JSON.parse(await readFile(manifest, 'utf8')) as Record<string, string>);
  const before = target.faults.count;
  const doors: Tried[] = [];
  for (const [i, door] of doorsOf(target, texts).entries()) {
    doors.push(await attack(door, Math.max(1, Math.round(inputs * door.share)), dice(seed + i)));
  }
  return { seed, doors, logged: target.faults.count - before };
}

function doorsOf(target: Target, texts: readonly string[]): Door[] {
  const { project } = target;
  const floats = Buffer.from(new Float32Array([0.5, 0.5, 1, 0]).buffer).toString('base64');
  const inputs: Readonly<Record<string, object>> = {
    UploadPredictions: { project, keys: ['k0', 'k1'], classes: 2, probabilities: floats },
    UploadEmbeddings: { project, keys: ['k0', 'k1'], dimensions: 2, embeddings: floats },
    PublishPredictions: { project, model: 'm', parts: ['x'] },
    ImportSamples: { project, importId: 'fuzz', part: 0, samples: [{ key: 'a', data: { text: 'b' } }] },
    Claim: { project, hold: 1 },
    AddMember: { project, name: 'N', role: 'VIEWER' },
    UpdatePolicy: { project, policy: { overlap: 2 } },
    OpenRound: { project, size: 2, strategy: 'random', seed: 1 },
    Invite: { project },
    RotateToken: { token: project },
  };
  const named = (name: string) => texts.find((text) => text.includes(`mutation ${name}(`)) ?? '';
  const requests = [
    ...Object.entries(inputs).map(([name, input]) => ({ query: named(name), variables: { input } })),
    ...['Viewer', 'Project', 'Samples', 'Members', 'Agreement', 'Queue', 'TrainingSet'].map((name) => ({
      query: texts.find((text) => text.startsWith(`query ${name}`)) ?? '{ viewer { id } }',
      variables: { id: project, project, first: 2 },
    })),
  ];
  const messages = [
    ...requests.map((payload, i) => ({ type: 'subscribe', id: `${i % 5}`, payload })),
    ...texts
      .filter((text) => text.startsWith('subscription'))
      .map((query, i) => ({ type: 'subscribe', id: `s${i}`, payload: { query, variables: { project } } })),
    { type: 'complete', id: '1' },
    { type: 'ping' },
    { type: 'pong', payload: {} },
  ].map((message) => JSON.stringify(message));
  const npy = (type: string, shape: string, bytes: number) => {
    const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape}), }`;
    return `\x93NUMPY\x01\x00${String.fromCharCode(118, 0)}${header.padEnd(117)}\n${'\x00'.repeat(bytes)}`;
  };
  const csv = 'key,data.text,label\na,"b ""c""\nd",x\n1,é,\n';
  const ndjson = '{"key":"a","data":{"text":"b"},"annotations":[{"label":"x"}]}\n{"key":"c","data":1}\n';
  const studio = JSON.stringify([
    {
      id: 1,
      data: { text: 'b' },
      annotations: [{ result: [{ type: 'choices', value: { choices: ['x'] } }] }],
    },
    { id: 2, data: { text: 'c', key: 'k' }, predictions: [{}] },
  ]);
  return [
    documents(target, [
      ...texts,
      '{ __schema { types { name } } }',
      'fragment A on Query { viewer { id } } { ...A }',
    ]),
    bodies(
      target,
      requests.map((request) => JSON.stringify(request)),
    ),
    frames(target, messages),
    rawFrames(target, messages),
    files('csv', [csv, 'key\n']),
    files('ndjson', [ndjson]),
    files('label-studio', [studio]),
    arrays([npy('<f4', '2, 2', 16), npy('<i8', '2,', 16), npy('|u1', '', 1)]),
  ];
}
