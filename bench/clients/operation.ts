/** A GraphQL document, made ready once: benchmarks measure the server, not JSON.stringify of the same text. */
export interface Operation {
  readonly query: string
  readonly queryJson: string
}

export interface Answer {
  readonly data?: unknown
  readonly errors?: readonly { readonly message: string }[]
}

export function operation(query: string): Operation {
  const compact = query.replace(/\s+/g, ' ').trim()
  return { query: compact, queryJson: JSON.stringify(compact) }
}

/** The body of a request over HTTP, the payload of a `subscribe` message. */
export function requestJson({ queryJson }: Operation, variables: Readonly<Record<string, unknown>>): string {
  return `{"query":${queryJson},"variables":${JSON.stringify(variables)}}`
}

/** Throws on GraphQL errors: a benchmark that got one has measured nothing. */
export function dataOf({ data, errors }: Answer): unknown {
  if (errors || data === undefined || data === null) throw new Error(`GraphQL errors: ${JSON.stringify(errors)}`)
  return data
}
