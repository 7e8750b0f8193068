/** Batches of whole jobs, as servers without a step loop make them: what waits is let in together, and nobody else until all of it has ended. */
export class BatchGate {
  readonly #size: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(size: number) {
    this.#size = size
  }

  async pass<Value>(work: () => Promise<Value>): Promise<Value> {
    await new Promise<void>((enter) => {
      this.#waiting.push(enter)
      this.#letIn()
    })
    try {
      return await work()
    } finally {
      this.#inside -= 1
      this.#letIn()
    }
  }

  #letIn(): void {
    if (this.#inside > 0) return
    const batch = this.#waiting.splice(0, this.#size)
    this.#inside = batch.length
    for (const enter of batch) enter()
  }
}
