/** The table of mechanisms: what stands in for each, what both sides measured, and whether the difference is what it must be. */
import type { Figure } from '../harness/benchmark.ts'
import { isMet, summarise } from '../harness/statistics.ts'
import { formatNumber, renderTable } from '../harness/table.ts'
import { figureId, isAlone } from './figures.ts'
import { inWords } from './gain.ts'
import type { Comparison, Mechanism } from './mechanism.ts'

const columns = ['mechanism', 'measured', 'with', 'without', 'unit', 'with / without [min..max]', 'must bring', 'met']

/** What was not measured is left out. Below the table, the naive way of each. */
export function showMechanisms(mechanisms: readonly Mechanism[], figures: readonly Figure[]): string {
  const byId = new Map(figures.map((figure) => [figure.id, figure]))
  const measured = mechanisms
    .map((mechanism) => ({ mechanism, rows: rowsOf(mechanism, byId) }))
    .filter(({ rows }) => rows.length > 0)
  const table = renderTable({ columns, rows: measured.flatMap(({ rows }) => rows) })
  const naive = measured.map(({ mechanism }) => `- Without ${mechanism.name}: ${mechanism.naive}`)
  return [table, '', ...naive].join('\n')
}

function rowsOf(mechanism: Mechanism, byId: ReadonlyMap<string, Figure>): string[][] {
  return mechanism.comparisons.flatMap((comparison) => {
    const row = rowOf(mechanism, comparison, byId)
    return row === null ? [] : [row]
  })
}

function rowOf({ name }: Mechanism, comparison: Comparison, byId: ReadonlyMap<string, Figure>): string[] | null {
  const { what, unit, mustBring } = comparison
  const find = (part: 'with' | 'without' | 'ratio') => byId.get(figureId(name, comparison, part))
  const [on, off, ratio] = [find('with'), find('without'), find('ratio')]
  const judged = isAlone(mustBring) ? on : ratio
  if (!on || !judged) return null
  const value = (figure: Figure | undefined) => (figure ? formatNumber(summarise(figure).value) : '')
  const { goal } = judged
  const met = goal === null ? '' : isMet(summarise(judged).value, goal) ? 'yes' : 'NO'
  return [name, what, value(on), value(off), unit, ratio ? range(ratio) : '', mustBring ? inWords(mustBring) : '', met]
}

function range(ratio: Figure): string {
  const { value, min, max, rounds } = summarise(ratio)
  const middle = formatNumber(value)
  return rounds === 1 ? middle : `${middle} [${formatNumber(min)}..${formatNumber(max)}]`
}
