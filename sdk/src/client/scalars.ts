/** An instant as ISO 8601 text in UTC, such as `2026-03-01T10:15:30.000Z`: `new Date(text)` reads it. */
export type DateTime = string;

/** Bytes in base64 (RFC 4648, section 4). */
export type Bytes = string;

/** A JSON object. */
export type JSONObject = Readonly<Record<string, unknown>>;
