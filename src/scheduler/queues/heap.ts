/** A binary heap: the least item first. Items that know their slot can leave from anywhere in O(log n). */
export class Heap<Item> {
  readonly #items: Item[] = []
  readonly #isBefore: (a: Item, b: Item) => boolean
  readonly #moved: (item: Item, slot: number) => void

  /** `moved` is told each item's slot; -1 = it has left. */
  constructor(isBefore: (a: Item, b: Item) => boolean, moved: (item: Item, slot: number) => void = () => {}) {
    this.#isBefore = isBefore
    this.#moved = moved
  }

  get size(): number {
    return this.#items.length
  }

  first(): Item | undefined {
    return this.#items[0]
  }

  add(item: Item): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  takeFirst(): Item | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.removeAt(0)
    return first
  }

  removeAt(slot: number): void {
    const removed = this.#items[slot]
    const last = this.#items.pop()
    if (removed === undefined || last === undefined) throw new Error(`The heap has no slot ${slot}.`)
    this.#moved(removed, -1)
    if (removed === last) return
    this.#rise(last, slot)
    if (this.#items[slot] === last) this.#sink(last, slot)
  }

  #rise(item: Item, from: number): void {
    let slot = from
    while (slot > 0) {
      const parentSlot = (slot - 1) >>> 1
      const parent = this.#items[parentSlot]
      if (parent === undefined || !this.#isBefore(item, parent)) break
      this.#put(parent, slot)
      slot = parentSlot
    }
    this.#put(item, slot)
  }

  #sink(item: Item, from: number): void {
    let slot = from
    for (;;) {
      const childSlot = this.#leastChild(slot)
      const child = this.#items[childSlot]
      if (child === undefined || !this.#isBefore(child, item)) break
      this.#put(child, slot)
      slot = childSlot
    }
    this.#put(item, slot)
  }

  #leastChild(slot: number): number {
    const left = 2 * slot + 1
    const [a, b] = [this.#items[left], this.#items[left + 1]]
    return a !== undefined && b !== undefined && this.#isBefore(b, a) ? left + 1 : left
  }

  #put(item: Item, slot: number): void {
    this.#items[slot] = item
    this.#moved(item, slot)
  }
}
