import { createHash } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import type { PluginFolder } from './plugins.ts';

/** Run from TypeScript sources (tests) or from the built service. */
const FROM_SOURCES = import.meta.url.endsWith('.ts');
const HERE = dirname(fileURLToPath(import.meta.url));

export interface Compiled {
  /** One ES module that imports nothing but Node's own modules. */
  readonly code: string;
  /** Its source map, as JSON; the sources are relative to the plugin's folder. */
  readonly map: string;
  /** SHA-256 of `code`, in hexadecimal: the version of the strategy, with all that it bundles. */
  readonly version: string;
}

/** A file that does not compile. The message has one line a problem, each with its place. */
export class CompileError extends Error {
  override name = 'CompileError';
}

/**
 * Bundles a module and everything it imports into one text.
 *
 * The text holds neither paths nor comments, so that the same sources under the same file names give the same
 * version on every machine.
 *
 * @param path absolute, TypeScript or JavaScript
 * @param folder from which the places in messages are named, and with what before them
 * @throws {CompileError}
 */
export async function compile(
  path: string,
  folder: PluginFolder = { path: dirname(path), prefix: '' },
): Promise<Compiled> {
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      absWorkingDir: dirname(path),
      outfile: `${path}.bundle.js`,
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      sourcemap: 'external',
      sourcesContent: false,
      minifyWhitespace: true,
      minifySyntax: true,
      legalComments: 'none',
      // A stray tsconfig.json near the plugin must not change what it means.
      tsconfigRaw: {},
      // A package may bring WebAssembly: what is imported is bundled as bytes, and counts towards the version.
      loader: { '.wasm': 'binary' },
      logLevel: 'silent',
      // CommonJS dependencies reach Node's own modules by `require`, which an ES module lacks.
      banner: { js: 'globalThis.require??=process.getBuiltinModule;' },
      conditions: FROM_SOURCES ? ['source'] : [],
      plugins: [provided],
    });
    const [map, code] = ['.map', '.js'].map((end) => outputFiles.find((file) => file.path.endsWith(end)));
    if (map === undefined || code === undefined) throw new Error('esbuild gave no output');
    return {
      code: code.text,
      map: map.text,
      version: createHash('sha256').update(code.contents).digest('hex'),
    };
  } catch (error) {
    if (isBuildFailure(error)) throw new CompileError(describe(error, path, folder), { cause: error });
    throw error;
  }
}

/**
 * What a plugin may import without installing it: the strategy SDK, always this service's own, as the two
 * must agree; and zod, unless the plugin has its own.
 */
const provided: Plugin = {
  name: 'provided',
  setup(build) {
    build.onResolve({ filter: /^(@concord\/sdk\/strategy|zod(\/.*)?)$/ }, async (args) => {
      if (args.pluginData === provided) return undefined;
      const resolve = (resolveDir: string) =>
        build.resolve(args.path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir,
          pluginData: provided,
        });
      if (args.path.startsWith('zod')) {
        const own = await resolve(args.resolveDir);
        if (own.errors.length === 0) return own;
      }
      return resolve(HERE);
    });
  },
};

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function describe(failure: BuildFailure, path: string, folder: PluginFolder): string {
  return failure.errors
    .map(({ text, location }) => {
      if (location === null) return text;
      const place = relative(folder.path, join(dirname(path), location.file)).replaceAll('\\', '/');
      return `${folder.prefix}${place}:${location.line}:${location.column + 1}: ${text}`;
    })
    .join('\n');
}
