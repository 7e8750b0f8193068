/**
 * Who may speak to the doors at all, decided from a request's headers before anything else is read. Three rules:
 * the Host must be this machine or listed (against DNS rebinding), a browser's Origin must be loopback, listed, or the page's own
 * (CORS and WebSocket upgrades alike), and what a browser sends from elsewhere without an Origin is refused (against forged requests).
 */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../../config/config.ts'
import type { Problem } from '../http/answers.ts'
import { isLoopback } from './loopback.ts'

export class Gate {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>

  constructor(config: Pick<Config, 'HEARTH_ALLOWED_HOSTS' | 'HEARTH_ALLOWED_ORIGINS'>) {
    this.#hosts = new Set(config.HEARTH_ALLOWED_HOSTS.map((host) => host.toLowerCase()))
    this.#origins = new Set(config.HEARTH_ALLOWED_ORIGINS.map((origin) => origin.toLowerCase().replace(/\/$/, '')))
  }

  /** Null when the request may come in. */
  refusalOf({ headers, method, url }: IncomingMessage): Problem | null {
    const host = headers.host?.toLowerCase() ?? ''
    if (!this.#isHostAllowed(host)) {
      return forbidden(
        `The Host header ${JSON.stringify(host)} is not answered here; HEARTH_ALLOWED_HOSTS lists those that are.`,
      )
    }
    if (headers.origin !== undefined) {
      if (this.#isOriginAllowed(headers.origin, host)) return null
      return forbidden(
        `Pages of ${JSON.stringify(headers.origin)} may not call this server; HEARTH_ALLOWED_ORIGINS lists those that may.`,
      )
    }
    // The signature in an artifact's address is what lets its reader in: any page that was given one may show the picture.
    const isArtifact = (method === 'GET' || method === 'HEAD') && (url?.startsWith('/artifacts/') ?? false)
    return !isArtifact && isForged(headers) ? forbidden('Pages of other sites may not call this server.') : null
  }

  #isHostAllowed(host: string): boolean {
    const name = host.replace(/:\d+$/, '')
    return isLoopback(name) || this.#hosts.has(host) || this.#hosts.has(name)
  }

  /** `host` has passed: a page that it served may call it. */
  #isOriginAllowed(origin: string, host: string): boolean {
    const url = URL.parse(origin)
    if (!url) return false
    return isLoopback(url.hostname) || this.#origins.has(origin.toLowerCase()) || url.host === host
  }
}

/** A browser says where a request comes from even when it sends no Origin; following a link is no call. */
function isForged(headers: IncomingMessage['headers']): boolean {
  const isElsewhere = headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site'
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isElsewhere && !isLink
}

function forbidden(message: string): Problem {
  return { status: 403, code: 'FORBIDDEN', message }
}
