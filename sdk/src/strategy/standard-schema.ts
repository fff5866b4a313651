/**
 * Standard Schema, version 1: the interface by which validation libraries (zod, valibot, arktype, …) hand
 * their schemas to others. Declared here so that the SDK depends on none of them.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Only for inference; never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of a value that has passed the schema, defaults filled in. */
export type Output<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];
