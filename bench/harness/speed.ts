/**
 * How fast the machine itself is at the moment. A virtual machine gets faster and slower by a third within minutes, for reasons
 * that nothing inside it can see; how long a fixed piece of work takes tells such a moment from a change of the program.
 */
const document = JSON.stringify(
  Array.from({ length: 200 }, (_, id) => ({
    id: `job-${id}`,
    state: 'RUNNING',
    values: [id, id / 3, null],
    text: 'x'.repeat(40),
  })),
)
const repetitions = 100

/** Milliseconds that a fixed piece of work takes: the reading and writing of JSON, which is much of what a server does. */
export function fixedWorkMs(): number {
  const startedAt = performance.now()
  let bytes = 0
  for (let repetition = 0; repetition < repetitions; repetition += 1)
    bytes += JSON.stringify(JSON.parse(document)).length
  if (bytes !== repetitions * document.length) throw new Error('JSON is not what it was.')
  return performance.now() - startedAt
}
