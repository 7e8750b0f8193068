/** Hearth as a server of files: PUT /uploads, and the address that the API gives for what was taken. */
import { MeasuredServer, type ServerOptions } from '../harness/server.ts'
import type { FileDoor } from './file-door.ts'

export class HearthDoor implements FileDoor, AsyncDisposable {
  readonly #server: MeasuredServer

  static async start(options: ServerOptions): Promise<HearthDoor> {
    return new HearthDoor(await MeasuredServer.start(options))
  }

  constructor(server: MeasuredServer) {
    this.#server = server
  }

  get pid(): number {
    return this.#server.pid
  }

  get uploadUrl(): string {
    return new URL('/uploads', this.#server.url).href
  }

  async downloadUrl(answer: string): Promise<string> {
    const { id } = JSON.parse(answer) as { readonly id: string }
    const query = 'query ($id: ID!) { node(id: $id) { ... on Artifact { url } } }'
    return (await this.#server.hearth.ask<{ readonly node: { readonly url: string } }>(query, { id })).node.url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }
}
