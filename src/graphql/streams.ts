/**
 * A stream's values turned into others. It leaves the stream at once when its reader does.
 * @param pulled called whenever the next one is asked for: the one before has been sent
 */
export function mapped<T, U>(
  stream: AsyncIterableIterator<T>,
  turn: (value: T) => U,
  pulled: () => void = () => undefined,
): AsyncIterableIterator<U> {
  const turned = ({ done, value }: IteratorResult<T>): IteratorResult<U> =>
    done ? { done: true, value: undefined } : { done: false, value: turn(value) };
  return {
    next: async () => {
      pulled();
      return turned(await stream.next());
    },
    return: async () => {
      await stream.return?.();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      await stream.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
