/** LOAD and UNLOAD that one worker has not answered yet. */
import type { VersionId } from '../../scheduler/ids.ts'
import { ProtocolError } from './protocol-error.ts'

export type ModelRequest =
  | {
      readonly type: 'load'
      readonly versionId: VersionId
      /** Components whose COMPONENT_LOADED has not come. */
      readonly unloaded: Set<string>
      readonly loadMsMax: number | null
    }
  | { readonly type: 'unload'; readonly versionId: VersionId }

export class ModelRequests {
  /** In the order sent. */
  readonly #byRequestId = new Map<number, ModelRequest>()
  #loadsUnderWay = 0
  #loadedCount = 0

  /** From the wish on, even before it has been sent. */
  get isLoading(): boolean {
    return this.#loadsUnderWay > 0
  }

  /** How long those under way may compute without getting on; null = nobody knows of one of them. */
  get loadMsMax(): number | null {
    let sum = 0
    for (const asked of this.#byRequestId.values()) {
      if (asked.type !== 'load') continue
      if (asked.loadMsMax === null) return null
      sum += asked.loadMsMax
    }
    return sum
  }

  /** Loads and components that have ended. */
  get loadedCount(): number {
    return this.#loadedCount
  }

  /** Returns what is to be called when the request leaves. */
  begin(request: ModelRequest): (requestId: number) => void {
    if (request.type === 'load') this.#loadsUnderWay += 1
    return (requestId) => this.#byRequestId.set(requestId, request)
  }

  /** A component has been loaded. Throws ProtocolError unless its model is being loaded, and this was not said before. */
  componentLoaded(versionId: VersionId, component: string): void {
    for (const asked of this.#byRequestId.values()) {
      if (asked.type !== 'load' || asked.versionId !== versionId || !asked.unloaded.delete(component)) continue
      this.#loadedCount += 1
      return
    }
    throw new ProtocolError(
      'order',
      `\`COMPONENT_LOADED\` came for ${JSON.stringify(component)} of model ${versionId}, which is not being loaded.`,
    )
  }

  /** Throws ProtocolError when that is not what was asked. */
  answered(requestId: number, type: ModelRequest['type'], versionId: VersionId): void {
    const asked = this.#byRequestId.get(requestId)
    if (asked?.type !== type || asked.versionId !== versionId) {
      throw new ProtocolError(
        'order',
        `Request ${requestId} was answered as if it had been to ${type} model ${versionId}.`,
      )
    }
    this.#end(requestId, asked)
  }

  /** The load that was answered with an error; null = the request was something else. */
  loadRefused(requestId: number): ModelRequest | null {
    const asked = this.#byRequestId.get(requestId)
    if (asked?.type !== 'load') return null
    this.#end(requestId, asked)
    return asked
  }

  #end(requestId: number, request: ModelRequest): void {
    this.#byRequestId.delete(requestId)
    if (request.type !== 'load') return
    this.#loadsUnderWay -= 1
    this.#loadedCount += 1
  }
}
