import { allOf, ConcordError, connectDriver, type Driver, type DriverProject } from '@concord/sdk/driver';
import { CommandError } from './command.ts';

/** What commands do over the network, through the SDK, with a service that is running. */

export interface Remote {
  readonly url: string;
  readonly token: string;
  readonly project: string;
}

/**
 * Works on a project of a running service.
 *
 * @param work is given a signal that is raised at Ctrl-C; a second Ctrl-C ends the process
 * @throws {CommandError} the service cannot be reached, or refuses
 */
export async function withProject<T>(
  { url, token, project }: Remote,
  work: (project: DriverProject, signal: AbortSignal, driver: Driver) => Promise<T>,
): Promise<T> {
  return withService({ url, token }, async (driver, signal) =>
    work(await projectNamed(driver, project), signal, driver),
  );
}

/** Works on a running service, as {@link withProject} does on one of its projects. */
export async function withService<T>(
  { url, token }: Omit<Remote, 'project'>,
  work: (driver: Driver, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of SIGNALS) process.once(signal, onSignal);
  let driver: Driver | null = null;
  try {
    driver = connectDriver({ url, token });
    return await work(driver, stop.signal);
  } catch (error) {
    if (error instanceof ConcordError) throw new CommandError(error.message);
    // An option that the SDK cannot use.
    if (error instanceof TypeError && driver === null) throw new CommandError(error.message);
    throw error;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    driver?.close();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** A project by its id or its name. */
export async function projectNamed(driver: Driver, name: string): Promise<DriverProject> {
  if ((await driver.client.project({ id: name })) !== null) return driver.project(name);
  const found: string[] = [];
  for await (const project of allOf((after) => driver.client.projects({ first: 100, after }))) {
    if (project.name === name) found.push(project.id);
  }
  const [id, ...others] = found;
  if (id === undefined) throw new CommandError(`there is no project ${name}, or it is not yours to see`);
  if (others.length > 0) {
    throw new CommandError(`several projects are called ${name}; name one by its id: ${found.join(', ')}`);
  }
  return driver.project(id);
}

/** How often a terminal, and a file that the messages go to, are told how far work has come, in milliseconds. */
const EVERY = { terminal: 200, file: 10_000 };

/** Tells on standard error how far long work has come, in a line of its own. */
export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true;
  #told = Date.now();
  #isOpen = false;

  tell(text: string): void {
    const now = Date.now();
    if (now - this.#told < (this.#isTerminal ? EVERY.terminal : EVERY.file)) return;
    this.#told = now;
    process.stderr.write(this.#isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
    this.#isOpen = this.#isTerminal;
  }

  /** Takes the line off a terminal, so that something else can be said. */
  end(): void {
    if (this.#isOpen) process.stderr.write('\r\x1b[K');
    this.#isOpen = false;
  }
}

/** A number for people to read. */
export function shown(count: number): string {
  return count.toLocaleString('en');
}
