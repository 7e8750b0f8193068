/** What the server's parts need of a logger: pino's shape, so that pino is one. */
type Write = (facts: Readonly<Record<string, unknown>>, message: string) => void
export interface Logger {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}
