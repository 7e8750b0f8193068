/**
 * Subscriptions as server-sent events (the protocol of graphql-sse, distinct connections): `next` for each result, `complete` at the
 * end. The source is asked for more only when the socket has taken what came before, so a slow reader costs one result and
 * the socket's buffer; one that takes nothing for too long is let go.
 */
import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { Outcome } from '../graphql/engine.ts'
import { Pace } from '../pace.ts'
import { eventStream } from './media-types.ts'

export interface StreamLimits {
  /** How often a comment is sent, so that proxies and clients know the stream lives. */
  readonly keepAliveMs: number
  /** How long a reader may take nothing. */
  readonly stalledMsMax: number
}
type Results = AsyncIterableIterator<ExecutionResult>

export class EventStreams {
  readonly #limits: StreamLimits
  readonly #open = new Map<ServerResponse, Results>()
  #isClosed = false

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** Ends with the subscription, or with the client. What is no stream (an error, a query) is one `next`. */
  async answer(response: ServerResponse, outcome: Outcome): Promise<void> {
    response.writeHead(200, {
      'content-type': eventStream,
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    })
    response.write(':\n\n')
    if (!('next' in outcome)) {
      response.end(`${nextEvent(outcome)}${completeEvent}`)
      return
    }
    const results = outcome
    // The client may have left, or the server begun to close, while the subscription was being set up.
    if (response.destroyed || this.#isClosed) {
      response.end()
      await results.return?.()
      return
    }
    this.#open.set(response, results)
    const keepAlive = this.#keepAlive(response)
    // Wakes the source when the client goes away while nothing happens.
    response.once('close', () => void results.return?.())
    try {
      await this.#send(response, results)
    } finally {
      clearInterval(keepAlive)
      this.#open.delete(response)
      await results.return?.()
    }
  }

  /** Ends every stream without `complete`: the client shall come back with its cursor. */
  closeAll(): void {
    this.#isClosed = true
    for (const [response, results] of this.#open) {
      this.#open.delete(response)
      response.end()
      void results.return?.()
    }
  }

  async #send(response: ServerResponse, results: Results): Promise<void> {
    const pace = new Pace()
    for await (const result of results) {
      if (response.closed) return
      const message = nextEvent(result)
      if (!response.write(message)) await drained(response)
      const pause = pace.wrote(message.length)
      if (pause) await pause
    }
    if (this.#open.has(response)) response.end(completeEvent)
  }

  /** The comment itself is only sent when the reader keeps up. */
  #keepAlive(response: ServerResponse): NodeJS.Timeout {
    let stalledMs = 0
    return setInterval(() => {
      stalledMs = response.writableNeedDrain ? stalledMs + this.#limits.keepAliveMs : 0
      if (stalledMs >= this.#limits.stalledMsMax) response.destroy()
      else if (stalledMs === 0) response.write(':\n\n')
    }, this.#limits.keepAliveMs)
  }
}

const completeEvent = 'event: complete\ndata:\n\n'

function nextEvent(result: ExecutionResult): string {
  return `event: next\ndata: ${JSON.stringify(result)}\n\n`
}

/** Resolves when the socket has taken everything, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
  })
}
