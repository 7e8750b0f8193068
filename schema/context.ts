/** What a resolver may use: the use cases, who asks, and batched reads. One per operation, whichever door it came through. */
import type { App } from '../src/app/app.ts'
import { Loaders } from './loaders.ts'

/** Who asks. This version knows only the person at this machine; keys and roles are decided where a Caller is made. */
export interface Caller {
  readonly name: string
}

export interface RequestContext {
  readonly app: App
  readonly caller: Caller
  readonly loaders: Loaders
}

export function createContext(app: App, caller: Caller): RequestContext {
  return { app, caller, loaders: new Loaders(app) }
}
