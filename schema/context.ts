/** What a resolver may use: the use cases, who asks, and batched reads. One per operation, whichever door it came through. */
import type { App } from '../src/app/app.ts'
import { createLoaders, type Loaders } from './loaders.ts'

/** Who asks. This version knows only the person at this machine; keys and roles are decided where a Caller is made. */
export interface Caller {
  readonly name: string
}

export class RequestContext {
  readonly app: App
  readonly caller: Caller
  #loaders: Loaders | undefined

  constructor(app: App, caller: Caller) {
    this.app = app
    this.caller = caller
  }

  /** Made when first used: most mutations need none. */
  get loaders(): Loaders {
    this.#loaders ??= createLoaders(this.app)
    return this.#loaders
  }
}
