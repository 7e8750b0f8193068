/** What a client of POST /graphql accepts, and what it sends. */
export const graphqlResponse = 'application/graphql-response+json'
export const plainJson = 'application/json'
export const eventStream = 'text/event-stream'
export type ResponseType = typeof graphqlResponse | typeof plainJson

/** Null when the client accepts neither. Without a wish it gets plain JSON, which every client reads. */
export function responseType(accept: string | undefined): ResponseType | null {
  if (!accept || accept === '*/*') return plainJson
  if (accept.includes(graphqlResponse)) return graphqlResponse
  return accept.includes(plainJson) || accept.includes('*/*') || accept.includes('application/*') ? plainJson : null
}

export function acceptsEventStream(accept: string | undefined): boolean {
  return accept?.includes(eventStream) ?? false
}

/** Only what a browser cannot send across sites without asking first, and only in UTF-8. */
export function isJsonSent(contentType: string | undefined): boolean {
  return contentType !== undefined && jsonInUtf8.test(contentType)
}
const jsonInUtf8 = /^\s*application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i
