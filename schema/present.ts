/** What of a batch still exists. A read that failed fails the whole. */
export function present<Row>(rows: readonly (Row | Error | null)[]): Row[] {
  const found: Row[] = []
  for (const row of rows) {
    if (row instanceof Error) throw row
    if (row !== null) found.push(row)
  }
  return found
}
