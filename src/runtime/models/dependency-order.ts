/** An order in which everything comes after what it needs. */

export interface Dependent {
  readonly name: string
  /** Names of others; those that are not in the list count for nothing. */
  readonly needs: readonly string[]
}

/**
 * Places in the list in such an order: as given, as far as that is possible. Where there is none, the names along one cycle, each needing the next and the
 * last the first. Names are unique, and few.
 */
export function dependencyOrder(
  list: readonly Dependent[],
): { readonly order: readonly number[] } | { readonly cycle: readonly string[] } {
  const places = new Map(list.map(({ name }, place) => [name, place]))
  const order: number[] = []
  const isDone = new Set<number>()
  /** From the first that is looked at to the one whose needs are being looked at. */
  const path: number[] = []
  /** Names of the cycle that was found, if any. */
  const visit = (place: number): readonly string[] | null => {
    if (isDone.has(place)) return null
    const start = path.indexOf(place)
    if (start >= 0) return path.slice(start).map((member) => list[member]?.name ?? '')
    path.push(place)
    for (const need of list[place]?.needs ?? []) {
      const needed = places.get(need)
      const cycle = needed === undefined ? null : visit(needed)
      if (cycle) return cycle
    }
    path.pop()
    isDone.add(place)
    order.push(place)
    return null
  }
  for (const place of list.keys()) {
    const cycle = visit(place)
    if (cycle) return { cycle }
  }
  return { order }
}

/** In words, for who has to mend it. */
export function circle(names: readonly string[]): string {
  return [...names, names[0]].join(' -> ')
}
