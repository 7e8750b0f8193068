/** What was read of a protobuf message. */
export type Value = string | number | Message

/** The fields that the shape names, in the order of the file. */
export class Message {
  #fields: Map<string, Value[]> | null = null

  add(name: string, value: Value): void {
    this.#fields ??= new Map()
    const values = this.#fields.get(name)
    if (values) values.push(value)
    else this.#fields.set(name, [value])
  }

  has(name: string): boolean {
    return this.#fields?.has(name) ?? false
  }

  /** The last one counts, as protobuf has it. */
  text(name: string): string | null {
    const value = this.#values(name).at(-1)
    return typeof value === 'string' ? value : null
  }

  integer(name: string): number | null {
    const value = this.#values(name).at(-1)
    return typeof value === 'number' ? value : null
  }

  integers(name: string): number[] {
    return this.#values(name).filter((value) => typeof value === 'number')
  }

  message(name: string): Message | null {
    const value = this.#values(name).at(-1)
    return value instanceof Message ? value : null
  }

  messages(name: string): Message[] {
    return this.#values(name).filter((value) => value instanceof Message)
  }

  #values(name: string): readonly Value[] {
    return this.#fields?.get(name) ?? []
  }
}
