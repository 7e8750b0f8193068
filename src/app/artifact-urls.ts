/**
 * Addresses of artifacts: `/artifacts/<number>/<readable name>?expires=<unix seconds>&signature=<hmac>`. Whoever has one may read the file until
 * it expires, without credentials. The name only says what a browser calls the file when it is saved.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Millis } from '../scheduler/ids.ts'
import type { ArtifactId, ArtifactRecord } from '../store/records.ts'
import { fileNameOf } from './file-names.ts'

export interface SignedUrl {
  readonly url: string
  readonly expiresAt: Millis
}
export type SignatureCheck = 'valid' | 'expired' | 'wrong'

/** Expiries fall on a grid of so many parts of the life time, so that asking twice gives the same address and a browser's cache serves. */
const partsOfLife = 4

export class ArtifactUrls {
  readonly #key: Uint8Array
  readonly #lifeMs: number
  readonly #origin: () => string

  /** `origin` as callers reach the server, without a slash at its end. An address is good for `lifeMs` at least, and a quarter more at most. */
  constructor(key: Uint8Array, lifeMs: number, origin: () => string) {
    this.#key = key
    this.#lifeMs = lifeMs
    this.#origin = origin
  }

  urlOf(record: ArtifactRecord, now: Millis): SignedUrl {
    const gridMs = Math.max(1000, Math.ceil(this.#lifeMs / partsOfLife / 1000) * 1000)
    const expiresAt = Math.ceil((now + this.#lifeMs) / gridMs) * gridMs
    const expires = expiresAt / 1000
    const signature = this.#sign(record.id, expires).toString('base64url')
    const path = `/artifacts/${record.id}/${encodeURIComponent(fileNameOf(record))}`
    return { url: `${this.#origin()}${path}?expires=${expires}&signature=${signature}`, expiresAt }
  }

  check(id: ArtifactId, expires: number, signature: string, now: Millis): SignatureCheck {
    const given = Buffer.from(signature, 'base64url')
    const right = this.#sign(id, expires)
    if (given.byteLength !== right.byteLength || !timingSafeEqual(given, right)) return 'wrong'
    return now < expires * 1000 ? 'valid' : 'expired'
  }

  #sign(id: ArtifactId, expires: number): Buffer {
    return createHmac('sha256', this.#key).update(`artifact ${id} ${expires}`).digest()
  }
}
