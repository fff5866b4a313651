import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAnnotator } from '../../sdk/src/annotator/index.ts';
import { connectDriver, type Driver, type DriverProject } from '../../sdk/src/driver/index.ts';
import { FORMATS, type Format, type ReadSample } from '../../sdk/src/formats/index.ts';
import { ServiceProcess } from './serviceProcess.ts';
import { until } from './waiting.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');

/** `concord import` and `concord export`, as they are run from a shell against a running service. */
describe('samples and labels go in and out', () => {
  let folder: string;
  let service: ServiceProcess;
  let driver: Driver;
  const commands: ServiceProcess[] = [];
  const at = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-transfer-'));
    service = await ServiceProcess.ready({
      args: ['--store', at('store'), '--port', '0'],
      env: { CONCORD_OWNER_TOKEN: OWNER },
    });
    driver = connectDriver({ url: `${service.url}/graphql`, token: OWNER });
  });
  afterAll(async () => {
    driver?.close();
    for (const command of commands) await command.kill();
    await service?.kill();
    await rm(folder, { recursive: true });
  });

  function begin(...args: readonly string[]): ServiceProcess {
    const env = { CONCORD_URL: `${service.url}/graphql`, CONCORD_TOKEN: OWNER };
    const command = new ServiceProcess({ args, env });
    commands.push(command);
    return command;
  }

  async function concord(...args: readonly string[]) {
    const command = begin(...args);
    const { code } = await command.exited;
    expect(command.errors).not.toContain('    at ');
    return { code, out: command.log, errors: command.errors };
  }

  async function done(...args: readonly string[]): Promise<string> {
    const { code, out, errors } = await concord(...args);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    return out;
  }

  function create(name: string): Promise<DriverProject> {
    return driver.createProject({
      name,
      labels: ['ham', 'spam'],
      policy: { overlapShare: 1, workSessionMinutes: 0 },
      seed: 1,
    });
  }

  /** Two people label `count` samples each. */
  async function label(project: DriverProject, count: number): Promise<void> {
    for (const [name, answer] of [
      ['Ann', 'ham'],
      ['Ben', 'spam'],
    ] as const) {
      const { token } = await project.addMember({ name, role: 'ANNOTATOR' });
      const annotator = await connectAnnotator({ url: `${service.url}/graphql`, token, project: project.id });
      let left = count;
      for await (const assignment of annotator) {
        await annotator.submit(assignment, answer, { milliseconds: 1_500 });
        if (--left === 0) break;
      }
      annotator.close();
    }
  }

  async function read(format: Format, file: string): Promise<ReadSample[]> {
    const all: ReadSample[] = [];
    const bytes = await readFile(file);
    const source = (async function* () {
      yield bytes;
    })();
    for await (const sample of FORMATS[format].read(source)) all.push(sample);
    return all;
  }

  async function samplesOf({ exportPages }: DriverProject) {
    const all = [];
    for await (const { samples } of exportPages()) all.push(...samples);
    return all;
  }

  it('in every format, there and back', async () => {
    await writeFile(
      at('mails.csv'),
      `key,text\n${Array.from({ length: 450 }, (_, i) => `m${i},"mail ""${i}"",\nand more"`).join('\n')}\n`,
    );
    const first = await create('First');
    expect(await done('import', '--project', 'First', at('mails.csv'))).toContain('450 samples imported');
    await first.openRound({ size: 20, strategy: 'random' });
    await label(first, 20);
    const truth = await samplesOf(first);
    expect(truth).toHaveLength(450);
    expect(truth.flatMap(({ annotations }) => annotations)).toHaveLength(40);
    const labelled = truth.filter(({ annotations }) => annotations.length > 0);
    for (const { annotations } of labelled) {
      expect(annotations).toMatchObject([
        { label: 'ham', milliseconds: 1_500, draw: 'RANDOM', round: 1, counted: true },
        { label: 'spam', milliseconds: 1_500, draw: 'RANDOM', round: 1, counted: true },
      ]);
    }

    for (const [format, end] of [
      ['csv', 'csv'],
      ['ndjson', 'ndjson'],
      ['label-studio', 'json'],
    ] as const) {
      const file = at(`out.${end}`);
      expect(await done('export', '--project', first.id, '--to', file)).toContain('450 samples exported');
      expect(existsSync(`${file}.partial`) || existsSync(`${file}.partial.json`)).toBe(false);
      const found = await read(format, file);
      expect(
        found.map(({ key, data, annotations }) => ({ key, data, labels: annotations.map((a) => a.label) })),
      ).toEqual(
        truth.map(({ key, data, annotations }) => ({ key, data, labels: annotations.map((a) => a.label) })),
      );
      const project = await create(`Again from ${format}`);
      const out = await done('import', '--project', project.id, file);
      expect(out).toContain('450 samples imported');
      expect(out).toContain('left out: 40 answers');
      const again = await samplesOf(project);
      expect(again.map(({ key, data }) => ({ key, data }))).toEqual(
        truth.map(({ key, data }) => ({ key, data })),
      );
    }
    // With names, and to a pipe, which is cut where a cursor says.
    const piped = await done('export', '--project', 'First', '--names', 'yes', '--format', 'ndjson');
    const lines = piped
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(450);
    expect(lines[labelled[0]?.number ?? 0].annotations).toMatchObject([{ name: 'Ann' }, { name: 'Ben' }]);
    const pages = first.exportPages({ pageSize: 100 })[Symbol.asyncIterator]();
    const { value } = await pages.next();
    const rest = await done('export', '--project', 'First', '--after', value?.cursor ?? '');
    expect(rest.trimEnd().split('\n')).toHaveLength(350);
  });

  it('again, when a file has grown, and not over what is there', async () => {
    const project = await create('Grown');
    const file = at('grown.ndjson');
    const line = (i: number, text = `text ${i}`) => `{"key":"k${i}","text":"${text}"}\n`;
    await writeFile(file, Array.from({ length: 10 }, (_, i) => line(i)).join(''));
    await done('import', '--project', project.id, file);
    await appendFile(file, line(10));
    expect(await done('import', '--project', project.id, file)).toContain(
      '1 samples imported, 10 were there already',
    );
    await appendFile(file, line(3, 'other'));
    expect(await concord('import', '--project', project.id, file)).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`${file}:12: There is a sample 'k3' already, with other data.`),
    });
    await writeFile(at('bad.csv'), 'key,text\na,b\nc\n');
    expect(await concord('import', '--project', project.id, at('bad.csv'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/bad\.csv:3: it has another number of columns/),
    });
    await writeFile(at('twice.csv'), 'key,text\nt1,b\nt2,c\nt1,b\n');
    expect(await concord('import', '--project', project.id, at('twice.csv'))).toMatchObject({
      code: 1,
      errors: expect.stringContaining("twice.csv:4: there is a sample 't1' already, in line 2"),
    });
    await writeFile(at('known.csv'), 'key,text,ground_truth\nt1,b,\nt2,c,Eggs\n');
    expect(await concord('import', '--project', project.id, at('known.csv'))).toMatchObject({
      code: 1,
      errors: expect.stringContaining("known.csv:3: 'Eggs' is not in the label set"),
    });
    expect((await project.progress()).samples).toBe(11);
  });

  it('goes on where it was stopped', async () => {
    const project = await create('Stopped');
    const count = 60_000;
    const text = 'x'.repeat(300);
    await writeFile(
      at('many.ndjson'),
      Array.from({ length: count }, (_, i) => `{"key":"k${i}","text":"${text}"}\n`).join(''),
    );
    const importing = begin('import', '--project', project.id, at('many.ndjson'));
    await until('some are in', async () => (await project.progress()).samples > 0, 30_000);
    importing.child.kill('SIGINT');
    expect(await importing.exited).toMatchObject({ code: 1 });
    expect(importing.errors).toMatch(/stopped\. [\d,]+ samples of it were imported/);
    expect((await project.progress()).samples).toBeLessThan(count);
    await done('import', '--project', project.id, at('many.ndjson'));
    expect((await project.progress()).samples).toBe(count);

    // Killed outright, twice, and once it is asked for another file, which is not there then.
    const to = at('many.out.ndjson');
    for (let i = 0; i < 2; i++) {
      const before = await partialBytes(to);
      const exporting = begin('export', '--project', project.id, '--to', to);
      await until('some is there', async () => (await partialBytes(to)) > before + 1_000_000, 30_000);
      await exporting.kill();
      expect(existsSync(to)).toBe(false);
    }
    // What is left is not given up for another file, nor is a file of somebody else.
    const left = await partialBytes(to);
    const { code, errors } = await concord(
      'export',
      '--project',
      project.id,
      '--rows',
      'samples',
      '--to',
      to,
    );
    expect({ code, errors }).toEqual({
      code: 1,
      errors: expect.stringMatching(
        /many\.out\.ndjson\.partial is in the way.* with --rows annotations\. Go on/,
      ),
    });
    expect(await partialBytes(to)).toBe(left);
    await writeFile(at('own.csv.partial'), 'mine');
    expect(await concord('export', '--project', project.id, '--to', at('own.csv'))).toMatchObject({
      code: 1,
      errors: expect.stringContaining('it is no export that was cut short'),
    });
    expect(await readFile(at('own.csv.partial'), 'utf8')).toBe('mine');

    const finished = await concord('export', '--project', project.id, '--to', to);
    expect(finished).toMatchObject({
      code: 0,
      errors: expect.stringMatching(/^going on behind [\d,]+ samples/),
    });
    const keys = (await readFile(to, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).key);
    expect(keys).toEqual(Array.from({ length: count }, (_, i) => `k${i}`));
    expect(await concord('export', '--project', project.id, '--to', to)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('nothing is overwritten'),
    });
  });

  async function partialBytes(file: string): Promise<number> {
    return existsSync(`${file}.partial`) ? (await readFile(`${file}.partial`)).length : 0;
  }

  it.each([
    [['import', '--project', 'First'], 'name a file'],
    [['import', '--project', 'First', '/nowhere.csv'], 'no such file'],
    [['import', '--project', 'First', 'x.txt'], 'does not tell its format'],
    [['import', '--project', 'Nobody', 'x.csv'], 'there is no project Nobody'],
    [['import', '--project', 'First', '--token', 'wrong'.padEnd(40, '0'), 'x.csv'], 'token'],
    [['import', '--project', 'First', '--url', 'nonsense', 'x.csv'], 'url is the GraphQL endpoint'],
    [['export', '--project', 'First', '--after', 'nonsense'], 'cursor'],
    [['export', '--project', 'First', '--names', 'some'], '--names is yes or no'],
    [['export', '--project', 'First', '--format', 'xml'], 'there is no format xml'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, errors } = await concord(...args);
    expect(errors).toContain(message);
    expect(code).toBe(1);
  });
});
