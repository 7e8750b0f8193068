/** Figures and peers as tables, the same on the terminal and in the report. */
import type { PeerTable } from '../peers.ts'
import type { Figure, Goal } from './benchmark.ts'
import type { Outcome } from './outcome.ts'
import { isMet, summarise } from './statistics.ts'
import { formatNumber, renderTable } from './table.ts'

export function showFigures(figures: readonly Figure[]): string {
  return renderTable({
    columns: ['measured', 'value', 'unit', 'rounds [min..max]', 'goal', 'met'],
    rows: figures.map((figure) => {
      const { value, min, max, rounds } = summarise(figure)
      const range = rounds === 1 ? 'once' : `${rounds} [${formatNumber(min)}..${formatNumber(max)}]`
      return [figure.what, formatNumber(value), figure.unit, range, showGoal(figure.goal), showMet(figure.goal, value)]
    }),
  })
}

export function showPeers(table: PeerTable): string {
  return `${table.title}:\n\n${renderTable(table)}`
}

export function showCircumstances({ others, fixedWorkMs }: Pick<Outcome, 'others' | 'fixedWorkMs'>): string {
  const use = `Other work used ${others} cores during the rounds`
  if (fixedWorkMs === null) return `${use}.`
  const { median, min, max } = fixedWorkMs
  return `${use}; a fixed piece of work took ${median} ms [${min}..${max}] before them.`
}

function showGoal(goal: Goal | null): string {
  if (goal === null) return ''
  return 'atLeast' in goal ? `≥ ${formatNumber(goal.atLeast)}` : `≤ ${formatNumber(goal.atMost)}`
}

function showMet(goal: Goal | null, value: number): string {
  if (goal === null) return ''
  return isMet(value, goal) ? 'yes' : 'NO'
}
