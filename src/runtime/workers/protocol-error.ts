/** What was broken, in the words of the shared frame vectors. */
export type ProtocolBreach =
  | 'magic'
  | 'flags'
  | 'reserved'
  | 'limit'
  | 'type'
  | 'metadata'
  | 'span'
  | 'truncated'
  | 'order'

/** The peer may have given words of its own, which are as long as it likes. */
const charactersMax = 1000

/** The peer broke PROTOCOL.md. The message says what was expected and what came; the worker is replaced. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly breach: ProtocolBreach

  constructor(breach: ProtocolBreach, message: string) {
    super(message.length > charactersMax ? `${message.slice(0, charactersMax)}…` : message)
    this.breach = breach
  }
}
