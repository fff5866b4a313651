import { isStrategy, type Strategy } from '@concord/sdk/strategy';
import { compile } from './compile.ts';

/**
 * Imports one plugin into this thread, for tools that look at a strategy closely. The service never does: it has no
 * protection against what the plugin does.
 *
 * @param path absolute, TypeScript or JavaScript
 * @throws {CompileError} it does not compile
 * @throws {TypeError} its default export is no strategy
 * @throws whatever the plugin throws while it is imported
 */
export async function loadStrategy(path: string): Promise<Strategy> {
  const { code } = await compile(path);
  const module: { default?: unknown } = await import(
    `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
  );
  if (isStrategy(module.default)) return module.default;
  throw new TypeError(
    'default' in module ? 'its default export was not made by defineStrategy' : 'it has no default export',
  );
}
