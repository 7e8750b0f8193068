/** `modelEvents` as one subscriber gets them, collected as they arrive. */
import type { Hearth } from './hearth.ts'
import { subscribe } from './subscriptions.ts'

export interface ModelEvent {
  readonly __typename: 'ModelRegistered' | 'ResidencyChanged' | 'ResidencyEnded' | 'ModelLoadFailed'
  readonly model: { readonly name: string }
  readonly residency?: {
    readonly id: string
    readonly state: 'LOADING' | 'RESIDENT' | 'EVICTING'
    readonly sizeBytes: number
  }
  readonly residencyId?: string
}

const subscription = `subscription ($model: String) { modelEvents(model: $model) { __typename model { name }
  ... on ResidencyChanged { residency { id state sizeBytes } } ... on ResidencyEnded { residencyId } } }`

export class ModelWatch {
  readonly events: ModelEvent[] = []
  readonly #hangUp = new AbortController()
  readonly #ended: Promise<void>

  /** Of one model, or of all. Events from before the server took the subscription are not seen. */
  constructor(hearth: Hearth, model: string | null) {
    this.#ended = this.#collect(hearth, model)
  }

  /** What happened to the model's residencies, in order: LOADING, RESIDENT, EVICTING, ended. */
  get story(): string[] {
    const told = this.events.map(({ residency }) => residency?.state ?? 'ended')
    // A residency is told again when its size changes; the story is about its states.
    return told.filter((state, index) => state !== told[index - 1])
  }

  async hangUp(): Promise<void> {
    this.#hangUp.abort()
    await this.#ended
  }

  async #collect(hearth: Hearth, model: string | null): Promise<void> {
    const operation = { query: subscription, variables: { model } }
    for await (const { data, errors } of subscribe<{ modelEvents: ModelEvent }>(
      hearth,
      'WebSocket',
      operation,
      this.#hangUp.signal,
    )) {
      if (errors || !data) throw new Error(JSON.stringify(errors))
      this.events.push(data.modelEvents)
    }
  }
}
