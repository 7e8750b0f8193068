/** Problems as sentences about a subject; its name is made only when there is one. */
export type Expect = (holds: boolean, problem: string) => void

export function expectAbout(found: string[], subject: () => string): Expect {
  return (holds, problem) => {
    if (!holds) found.push(`${subject()} ${problem}.`)
  }
}
